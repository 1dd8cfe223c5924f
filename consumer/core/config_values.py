"""Kafka's config values, which are all text: when two are the same, and when one is less."""


def same_value(one: str, other: str) -> bool:
    """Whether two texts are one value: numbers by what they are worth, lists in any order."""
    if one.strip() == other.strip():
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return words(one) == words(other)


def is_lower(one: str, other: str) -> bool:
    """Whether a limit is lower than another; a negative one is no limit, and what is no number is never lower."""
    try:
        left, right = int(one), int(other)
    except ValueError:
        return False
    return left >= 0 and (right < 0 or left < right)


def words(value: str) -> frozenset[str]:
    """The members of a list such as `compact,delete`."""
    return frozenset(word.strip() for word in value.split(",") if word.strip())
