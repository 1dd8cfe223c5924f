"""Fuzzing: what reads bytes of others, given any bytes. `make fuzz SECONDS=…` for long, a test for a few seconds."""
