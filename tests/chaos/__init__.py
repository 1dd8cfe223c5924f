"""Random faults, by seed, on a running group of consumers; then the books are checked from outside."""
