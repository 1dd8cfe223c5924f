"""Avro values, decoded with the registry's schemas; hostile data and schemas stay outside."""
