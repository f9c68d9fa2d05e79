"""The subcommands of `agent-stream`: one file per command, the rest is what they share.

Nearly all of them read `var` and need no server."""
