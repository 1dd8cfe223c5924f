"""JSON Schemas of the files that people write, so that editors complete and check them."""

from typing import Any

from consumer.settings.model import RECEIVER_KEYS, SECRETS, SettingsModel
from consumer.settings.units import DURATION_PATTERN, SIZE_PATTERN, show_duration, show_size

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SHOWN = {DURATION_PATTERN: show_duration, SIZE_PATTERN: show_size}


def settings_json_schema() -> dict[str, Any]:
    """Of the `--config` file: the settings, the receivers' keys, and each secret also by a file's path."""
    schema = as_written(SettingsModel.model_json_schema())
    secrets = [*SECRETS, *(key for key in RECEIVER_KEYS if key.endswith("_api_key"))]
    more = {key: {"type": "string", "description": _told(key)} for key in RECEIVER_KEYS}
    more |= {
        f"{key}_file": {"type": "string", "description": f"Path of a file that holds {key}."}
        for key in secrets
    }
    return {
        "$schema": DIALECT,
        **schema,
        "title": "Settings",
        "description": "The --config file of distinct-consumer. Flags and environment variables are stronger.",
        "properties": {**schema["properties"], **more},
    }


def as_written(schema: Any) -> Any:
    """The schema with defaults as people write them: a duration is `25s` in a file, and 25000 in the model."""
    if isinstance(schema, list):
        return [as_written(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: as_written(value) for key, value in schema.items()}
    show, default = _SHOWN.get(str(found.get("pattern"))), found.get("default")
    if show is not None and isinstance(default, int):
        found["default"] = show(default)
    return found


def _told(key: str) -> str:
    kind = "The key" if key.endswith("_api_key") else "The address"
    return f"{kind} that a topology refers to as {key.upper()}."
