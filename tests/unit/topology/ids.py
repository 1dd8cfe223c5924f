"""Ids of events that tell when they were made, and what only looks like one."""

ID = "019ab12c-4d5e-7abc-9def-0123456789ab"
MADE = 0x019AB12C4D5E
"""In milliseconds since 1970, by the id."""

NO_ID_WITH_A_TIME = [
    "019ab12c-4d5e-4abc-9def-0123456789ab",
    "019ab12c-4d5e-7abc-7def-0123456789ab",
    "019ab12c-4d5e-7abc-cdef-0123456789ab",
    "019ab12c-4d5e-7abc-9def-0123456789ag",
    "+19ab12c-4d5e-7abc-9def-0123456789ab",
    "0x9ab12c-4d5e-7abc-9def-0123456789ab",
    "019a_12c-4d5e-7abc-9def-0123456789ab",
    " 19ab12c-4d5e-7abc-9def-0123456789ab",
    "019ab12c4-d5e-7abc-9def-0123456789ab",
    "019ab12c-4d5e-7abc-9def-0123456789a",
    "019ab12c-4d5e-7abc-9def-0123456789a\n",
    "019ab12c-4d5e-7abc-9def-0123456789abc",
    "{19ab12c-4d5e-7abc-9def-0123456789a}",
    "019ab12c-4d5e-7abc-9def-0123456789\u00e9",
    "019ab12c-4d5e-7abc-9def-012345678\u0663\n",
]
"""Not of version 7, or no UUID: near to one."""
