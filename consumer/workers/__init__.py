"""`run --workers N`: a parent without a Kafka client or a ledger, which keeps N consumers running and adds them up."""
