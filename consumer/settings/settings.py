"""The settings of one run: from flags, then the environment, then the `--config` file, then defaults."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from consumer.errors import ConfigurationError
from consumer.settings.addresses import registry_problem, without_credentials
from consumer.settings.document import Finding, Location, Place, read_document
from consumer.settings.mistakes import findings_of, locate
from consumer.settings.model import RECEIVER_KEYS, SECRETS, SettingsModel, keys, variable_of
from consumer.settings.properties import Properties, read_properties
from consumer.settings.sources import Sources, variable_place

_HIDDEN = "***"
_OPEN_OPTIONS = frozenset(
    {
        "bootstrap.servers",
        "security.protocol",
        "sasl.mechanism",
        "sasl.mechanisms",
        "client.id",
        "client.rack",
    }
)
"""librdkafka's options whose values may be shown: all others could hold a secret."""


class Settings(SettingsModel):
    """Checked settings; frozen. `load` makes them, `masked` shows them."""

    _environment: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _kafka: Properties = PrivateAttr(default_factory=lambda: Properties({}, {}, []))
    _places: Mapping[Location, Place] = PrivateAttr(default_factory=dict)
    _receiver_places: Mapping[str, Place] = PrivateAttr(default_factory=dict)
    _secret_files: Mapping[str, Path] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(
        cls,
        flags: Mapping[str, Any],
        environment: Mapping[str, str],
        config: Path | None = None,
        *,
        only: Collection[str] | None = None,
    ) -> "Settings":
        """Read all sources. Blocks on the files. Raises ConfigurationError with every mistake.

        flags: by key (`ledger_url`), None where a flag is not given; what is no setting is passed over. only: the keys
        that are read, where the others are of no concern, with whatever is wrong with them.
        """
        sources = Sources(only)
        if config is not None:
            sources.take_file(read_document(config))
        sources.take_environment(environment)
        sources.take_flags(flags)
        findings = sources.findings
        try:
            settings = cls.model_validate(sources.document.values)
        except ValidationError as error:
            raise _error(findings + findings_of(error, cls, sources.document, {})) from None
        problem = registry_problem(settings.schema_registry_url, plain_http=settings.allow_plain_http)
        if problem is not None:
            findings.append(Finding(*locate(sources.document, ("schema_registry_url",)), problem))
        if settings.kafka_properties is not None:
            settings._kafka = read_properties(settings.kafka_properties)
            findings += settings._kafka.findings
        if findings:
            raise _error(findings)
        settings._environment = {**sources.receivers, **environment}
        settings._places = sources.document.places
        settings._secret_files = sources.secret_files
        inner = sources.receiver_places.items()
        settings._receiver_places = {name: place for name, place in inner if name not in environment}
        return settings

    @property
    def environment(self) -> Mapping[str, str]:
        """What a topology's references lead to: the environment, below it the receivers' keys of the file."""
        return self._environment

    @property
    def kafka_options(self) -> Mapping[str, str]:
        """librdkafka's options of the `kafka_properties` file."""
        return self._kafka.options

    def kafka_option_place(self, name: str) -> Place:
        """Where in that file an option stands; the file, if it does not."""
        return self._kafka.places.get(name, Place(str(self.kafka_properties), 0))

    def secret_file(self, key: str) -> Path | None:
        """The file that a secret came from, to be read again when it changes; None where it came from none."""
        return self._secret_files.get(key)

    @property
    def bootstrap_servers(self) -> str | None:
        """By the setting, else by the properties file."""
        return self.kafka_bootstrap_servers or self._kafka.options.get("bootstrap.servers")

    def missing(self) -> list[str]:
        """What a consumer needs and has no default, in words; empty where all is there."""
        needed = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "schema_registry_url": self.schema_registry_url,
        }
        return [
            f"{variable_of(key)} is not set: set it, or {key} in the --config file, "
            f"or give --{key.replace('_', '-')}"
            for key, value in needed.items()
            if value is None
        ]

    def masked(self) -> dict[str, dict[str, Any]]:
        """For people: each key with `value`, `kind` (flag, environment, file or default) and `source`, the place
        itself; secrets and what may hold one are hidden.
        """
        shown = {
            key: {"value": _shown(key, getattr(self, name)), **_told(self._places.get((key,)))}
            for key, name in keys().items()
        }
        for option, value in sorted(self._kafka.options.items()):
            value = value if option in _OPEN_OPTIONS else _HIDDEN
            place = Place(str(self.kafka_properties), 0)
            shown[f"kafka_properties.{option}"] = {"value": value, "kind": "file", "source": place.source}
        for key in RECEIVER_KEYS:
            shown[key] = self._shown_receiver(key)
        return shown

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        for key, name in keys().items():
            yield name, _shown(key, getattr(self, name))

    def _shown_receiver(self, key: str) -> dict[str, Any]:
        """What a topology's reference leads to: itself, or for a key also the file that holds it."""
        secret = key.endswith("_api_key")
        names = [key.upper(), f"{key.upper()}_FILE"] if secret else [key.upper()]
        name = next((name for name in names if self._environment.get(name)), None)
        if name is None:
            return {"value": None, **_told(None)}
        shown = _HIDDEN if secret else without_credentials(self._environment[name])
        return {"value": shown, **_told(self._receiver_places.get(name) or variable_place(name))}


def _told(place: Place | None) -> dict[str, str]:
    """Where a value comes from, as one word and as a place."""
    if place is None:
        return {"kind": "default", "source": "default"}
    if place.line:
        return {"kind": "file", "source": f"{place.source}:{place.line}"}
    return {"kind": "flag" if place.source.startswith("--") else "environment", "source": place.source}


def _shown(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if key in SECRETS:
        return _HIDDEN
    return without_credentials(str(value)) if key.endswith("_url") else str(value)


def _error(findings: list[Finding]) -> ConfigurationError:
    # A flag or a variable is its own place: its key would only say the same again.
    shown = (
        found if found.place.line else Finding(found.place, "", found.text) for found in sorted(findings)
    )
    return ConfigurationError([str(found) for found in shown])
