"""The ledger edge: two-phase keys and windows, in memory or in a SQLite file, behind one contract."""
