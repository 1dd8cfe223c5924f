"""A receiver that lies, stalls, floods and breaks off: what it does, and a server that does it."""
