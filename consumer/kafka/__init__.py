"""The Kafka edge: the only place that touches a Kafka client, besides the schema registry's."""
