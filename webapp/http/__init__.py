"""What is spoken over HTTP: one blueprint a file."""
