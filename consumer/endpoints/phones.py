"""Phone numbers in E.164, by the numbering plans that the library `phonenumbers` keeps."""

from functools import lru_cache
from typing import Any

from consumer.endpoints import checks

NOT_POSSIBLE = "is no possible phone number: no country has this code, or none of its numbers this length"


def e164(value: Any) -> str | None:
    """A check: E.164 as it is written, with a country code that is assigned and a length that its plan has.

    Not asked is whether the number is in use, or its range given out: ranges are given out faster than a library
    is updated, and a user's new number must not become a dead letter for that.
    """
    reason = checks.e164(value)
    if reason is not None:
        return reason
    return None if len(value) in _lengths(value[1:4]) else NOT_POSSIBLE


@lru_cache(maxsize=1000)
def _lengths(first_digits: str) -> frozenset[int]:
    """The lengths, with +, of full numbers that begin with these (up to three) digits: those of one country.

    The library's own parser takes 35 µs a number, so its tables are asked once for each country instead.
    """
    # Loading the library takes 0.1 s: only who has phone numbers waits for it, when the topology is checked.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
    from phonenumbers.phonemetadata import PhoneMetadata

    for digits in range(1, len(first_digits) + 1):
        code = int(first_digits[:digits])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            region = COUNTRY_CODE_TO_REGION_CODE[code][0]
            plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            national = plan.general_desc.possible_length if plan and plan.general_desc else ()
            return frozenset(1 + digits + length for length in national)
    return frozenset()
