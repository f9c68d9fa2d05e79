"""The subcommands of `agent-stream`: one file a group. They read var, and need no server."""
