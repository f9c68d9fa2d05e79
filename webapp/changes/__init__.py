"""What the agents of a session have changed in the files of a git repository."""
