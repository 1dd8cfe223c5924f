"""The admin port: health, metrics, status. Read-only."""
