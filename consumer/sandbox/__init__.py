"""What a laptop needs in place of a cluster and a vendor: a broker, events, the APIs, and a demo of it all."""
