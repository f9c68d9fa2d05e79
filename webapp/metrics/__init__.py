"""What the server counts, over all of its workers, for Prometheus."""
