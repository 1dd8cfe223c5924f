"""What the checker objects to: counted by kind, with a few examples of each."""

from dataclasses import dataclass, field

_EXAMPLES = 5


@dataclass(slots=True)
class Findings:
    """Empty where all is well."""

    _kinds: dict[str, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, example: str) -> None:
        """One more objection. Examples name offsets and event ids, never who it was."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        examples = self._kinds.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __getitem__(self, kind: str) -> int:
        """How many of this kind."""
        return self._counts.get(kind, 0)

    @property
    def kinds(self) -> set[str]:
        """All that was found at least once."""
        return set(self._counts)

    def __str__(self) -> str:
        lines = []
        for kind, examples in self._kinds.items():
            lines.append(f"{kind}: {self._counts[kind]}")
            lines += [f"    {example}" for example in examples]
        return "\n".join(lines)
