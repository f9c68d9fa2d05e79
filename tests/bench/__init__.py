"""`make bench`: every figure that the project promises, measured in one run on one machine."""
