"""The bench: the consumer beside a bare loop over the same topic, in the same run. `python -m bench`."""
