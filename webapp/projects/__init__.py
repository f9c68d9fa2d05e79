"""The folders that agents work in: configured projects, their git repositories, worktrees."""
