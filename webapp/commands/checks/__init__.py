"""What `doctor` looks at. Each check looks only; nothing is changed."""
