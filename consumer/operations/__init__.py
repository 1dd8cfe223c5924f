"""What commands do beside the consumer: to a cluster, a registry, a group."""
