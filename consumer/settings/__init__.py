"""What a deployment sets, and how files that people write are read."""

from consumer.settings.settings import Settings

__all__ = ["Settings"]
