"""The HTTP edge: one narrow sender protocol, two implementations, and the policy for base URLs."""
