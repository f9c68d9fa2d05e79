"""A client's connection before and between requests: limits of time, of size and of number."""
