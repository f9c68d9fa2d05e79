"""A session as a file for elsewhere. Each module writes one format; none knows the others."""
