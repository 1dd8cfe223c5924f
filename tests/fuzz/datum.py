"""Any bytes as a datum: nothing is refused, so that each byte changes what is mapped and not whether."""

from datetime import UTC, datetime, timedelta
from typing import Any

from consumer.avro.census import branches_of, kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def datum_from(schema: Any, data: bytes) -> dict[str, Any]:
    """A datum of a hardened record schema, as readers give it."""
    datum: dict[str, Any] = _Source(data).value(schema)
    return datum


class _Source:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, schema: Any) -> Any:
        match kind_of(schema):
            case "record":
                return {field["name"]: self.value(field["type"]) for field in schema["fields"]}
            case "union":
                branches = branches_of(schema)
                branch = branches[self._byte() % len(branches)]
                inner = self.value(branch)
                return (branch["name"], inner) if kind_of(branch) == "record" else inner
            case "array":
                return [self.value(schema["items"]) for _ in range(self._byte() % 4)]
            case "map":
                return {self._text(): self.value(schema["values"]) for _ in range(self._byte() % 4)}
            case "enum":
                return schema["symbols"][self._byte() % len(schema["symbols"])]
            case "int" | "long":
                number = int.from_bytes(self._take(self._byte() % 9), "big", signed=True)
                timed = isinstance(schema, dict) and str(schema.get("logicalType")).startswith("timestamp")
                return _EPOCH + timedelta(milliseconds=number % 2**47) if timed else number
            case "float" | "double":
                return float(int.from_bytes(self._take(3), "big", signed=True)) / 7
            case "boolean":
                return bool(self._byte() % 2)
            case "bytes" | "fixed":
                return self._take(self._byte() % 16)
            case "string":
                return self._text()
        return None

    def _text(self) -> str:
        return self._take(self._byte() % 48).decode(errors="replace")

    def _byte(self) -> int:
        return self._take(1)[0] if self._at < len(self._data) else 0

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken
