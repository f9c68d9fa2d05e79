"""Hours of ordinary life: nothing lost, nothing twice, nothing that grows. `make soak`."""
