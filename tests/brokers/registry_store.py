"""What a schema registry knows, and its answers as Confluent's API words them. No I/O.

Source: the API reference of Confluent's Schema Registry (paths, error codes, fields).
"""

import json
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any]  # HTTP status, JSON document

_DEFAULT_TYPE = "AVRO"  # left out of answers, as the registry does


@dataclass(frozen=True, slots=True)
class _Schema:
    """A registered text; its id is its identity. `references` and type as they were handed in."""

    id: int
    text: str
    kind: str
    references: tuple[tuple[str, str, int], ...]

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"schema": self.text}
        if self.kind != _DEFAULT_TYPE:
            document["schemaType"] = self.kind
        if self.references:
            names = ("name", "subject", "version")
            document["references"] = [dict(zip(names, each, strict=True)) for each in self.references]
        return document


@dataclass(slots=True)
class RegistryStore:
    """Schemas by id, and subjects with their versions, counted from 1. Not thread-safe."""

    _schemas: list[_Schema] = field(default_factory=list)
    _subjects: dict[str, list[_Schema]] = field(default_factory=dict)
    _levels: dict[str, str] = field(default_factory=dict)

    def register(self, subject: str, request: dict[str, Any]) -> int:
        """The id of this schema, new to the subject or not."""
        schema = self._find(request) or self._add(request)
        versions = self._subjects.setdefault(subject, [])
        if schema not in versions:
            versions.append(schema)
        return schema.id

    def serve(self, method: str, path: list[str], body: bytes) -> Answer:
        """The answer to a request; `path` in parts, unquoted."""
        match method, path:
            case "GET", ["schemas", "ids", id_text]:
                return self._by_id(id_text)
            case "GET", ["subjects"]:
                return 200, sorted(self._subjects)
            case "GET", ["subjects", subject, "versions"]:
                return self._versions(subject)
            case "GET", ["subjects", subject, "versions", version]:
                return self._version(subject, version)
            case "POST", ["subjects", subject, "versions"]:
                return self._post(subject, body)
            case "POST", ["subjects", subject]:
                return self._look_up(subject, body)
            case "GET", ["config"]:
                return 200, {"compatibilityLevel": "BACKWARD"}
            case "GET", ["config", subject]:
                return self._level(subject)
            case "PUT", ["config", subject]:
                self._levels[subject] = json.loads(body)["compatibility"]
                return 200, {"compatibility": self._levels[subject]}
            case "POST", ["compatibility", "subjects", _, "versions"]:
                return 200, {"is_compatible": True}  # only a real one judges
            case _:
                return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _by_id(self, id_text: str) -> Answer:
        if not (id_text.isdigit() and 1 <= int(id_text) <= len(self._schemas)):
            return 404, {"error_code": 40403, "message": f"Schema {id_text} not found"}
        return 200, self._schemas[int(id_text) - 1].document()

    def _versions(self, subject: str) -> Answer:
        if subject not in self._subjects:
            return _no_subject(subject)
        return 200, list(range(1, len(self._subjects[subject]) + 1))

    def _version(self, subject: str, version: str) -> Answer:
        versions = self._subjects.get(subject)
        if versions is None:
            return _no_subject(subject)
        number = len(versions) if version == "latest" else int(version) if version.isdigit() else 0
        if not 1 <= number <= len(versions):
            return 404, {"error_code": 40402, "message": f"Version {version} not found."}
        return 200, _registered(subject, number, versions[number - 1])

    def _level(self, subject: str) -> Answer:
        if subject in self._levels:
            return 200, {"compatibilityLevel": self._levels[subject]}
        text = f"Subject '{subject}' does not have subject-level compatibility configured"
        return 404, {"error_code": 40408, "message": text}

    def _post(self, subject: str, body: bytes) -> Answer:
        request = _request(body)
        if request is None:
            return 422, {"error_code": 42201, "message": "Invalid schema"}
        return 200, {"id": self.register(subject, request)}

    def _look_up(self, subject: str, body: bytes) -> Answer:
        versions = self._subjects.get(subject)
        if versions is None:
            return _no_subject(subject)
        request = _request(body)
        if request is None:
            return 422, {"error_code": 42201, "message": "Invalid schema"}
        schema = self._find(request)
        if schema is None or schema not in versions:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, _registered(subject, versions.index(schema) + 1, schema)

    def _find(self, request: dict[str, Any]) -> _Schema | None:
        wanted = _content(request)
        return next(
            (each for each in self._schemas if (each.text, each.kind, each.references) == wanted), None
        )

    def _add(self, request: dict[str, Any]) -> _Schema:
        schema = _Schema(len(self._schemas) + 1, *_content(request))
        self._schemas.append(schema)
        return schema


def _content(request: dict[str, Any]) -> tuple[str, str, tuple[tuple[str, str, int], ...]]:
    """What makes two schemas the same one: the text whatever its spaces, the type, the references."""
    text = json.dumps(json.loads(request["schema"]), separators=(",", ":"))
    references = tuple(
        (each["name"], each["subject"], each["version"]) for each in request.get("references") or ()
    )
    return text, request.get("schemaType") or _DEFAULT_TYPE, references


def _request(body: bytes) -> dict[str, Any] | None:
    """The body of a registration; None if it or its schema is not JSON."""
    try:
        request = json.loads(body)
        _content(request)
    except (ValueError, TypeError, KeyError):
        return None
    return dict(request)


def _registered(subject: str, version: int, schema: _Schema) -> dict[str, Any]:
    return {"subject": subject, "version": version, "id": schema.id, **schema.document()}


def _no_subject(subject: str) -> Answer:
    return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
