"""The vendors' APIs: what is sent, by which rules, and what their answers mean. One file an operation."""
