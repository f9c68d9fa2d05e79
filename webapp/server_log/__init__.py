"""What the server says of itself, line by line: formats, and whom a line is about."""
