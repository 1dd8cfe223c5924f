"""What the consumer says of itself: metrics, traces, logs. Never a secret, never personal data."""
