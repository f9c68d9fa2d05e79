"""The documentation: one Markdown file a topic, shown at `/docs` and by `agent-stream help`."""
