"""distinct-consumer: user events from Kafka, delivered to Distinct's products, each acknowledged before its commit."""

__version__ = "0.1.0"
