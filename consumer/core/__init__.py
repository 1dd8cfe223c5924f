"""Pure decisions: no I/O, no asyncio, no clock of its own; the time is an argument."""
