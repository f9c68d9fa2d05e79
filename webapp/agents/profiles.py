"""Profiles: which command an agent's name stands for.

Only what stands here or in the operator's settings can run; a client picks a name.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROTOCOLS = ("claude", "codex", "acp")
"""Of agents that hold a conversation: one file each in webapp/runner/talk."""
DEFAULT_MODE = "default"
MAX_ARGUMENT_BYTES = 131_071
"""The most that Linux takes in one argument: MAX_ARG_STRLEN less its NUL, execve(2)."""

_DEMO = Path(__file__).with_name("demo.py")
_DEMO_TALK = Path(__file__).with_name("demo_talk.py")


# https://docs.claude.com/en/docs/claude-code/headless
_CLAUDE = (
    *("claude", "--output-format=stream-json", "--verbose", "--input-format=stream-json"),
    *("--permission-prompt-tool=stdio", "--include-partial-messages", "--replay-user-messages"),
    "--permission-mode={mode}",
)
_CLAUDE_ONCE = ("claude", "-p", "--output-format", "stream-json", "--verbose")
_CLAUDE_ENV = (
    *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL"),
    *("CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"),
)
# https://developers.openai.com/codex/noninteractive; "-" reads the prompt from stdin
_CODEX_ONCE = ("codex", "exec")
_CODEX_JSON = ("--json", "--skip-git-repo-check")
_CODEX_ENV = ("OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME")
_OPENCODE_ONCE = ("opencode", "run", "--format=json")
_OPENCODE_ENV = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_CONFIG", "XDG_DATA_HOME")
_GEMINI_ENV = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT")


@dataclass(frozen=True)
class Profile:
    """How to run an agent; the fields are the keys of `[agents.<name>]` in the settings."""

    name: str
    command: tuple[str, ...]
    message: str | None = None
    """`stdin`: the agent reads the message there. Otherwise a `{message}` in `command`."""
    input: bool = False
    """Whether stdin stays open after the message, for `session.sendInput`."""
    env: tuple[str, ...] = ()
    """Names of variables that are passed on, beside the few that every agent gets."""
    env_files: Mapping[str, str] = field(default_factory=dict)
    """Variables whose values are in files, and the paths of these: see webapp/secret_files.py."""
    file_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The same with their values, once these were read. All of them are secrets."""
    run_as: str | None = None
    """The user that it runs as; None: the server's."""
    secrets: tuple[str, ...] = ()
    """Names of variables whose values never reach log or row, beside those in `env` that are
    called a key, a token, a secret or a password."""
    cwd: str | None = None
    max_seconds: float | None = None
    max_log_bytes: int | None = 1_000_000_000
    leave_background: bool = False
    """Whether what the agent started in the background goes on when it has ended."""
    dialect: str | None = None
    """How what it prints is to be read: a name of `webapp.log.dialects`."""
    talk: str | None = None
    """The protocol of an agent that holds a conversation: one of PROTOCOLS."""
    resume_command: tuple[str, ...] | None = None
    """The command that goes on with a `{conversation}`."""
    mode: str | None = None
    """What it may do unasked, in its own words: `{mode}` in a command."""
    idle_seconds: float | None = 600
    """An idle agent that holds a conversation ends after this time; the next message resumes it."""
    turn_seconds: float | None = None
    approval_seconds: float | None = None
    """A request that nobody has answered by then is denied. None: it waits."""
    max_usd_per_day: float | None = None
    """What its turns may cost in a day (UTC); the next one is refused then."""
    allow: tuple[str, ...] = ()
    """Requests that are allowed without asking, such as `Bash(git status)`: see
    webapp/runner/talk/rules.py."""
    deny: tuple[str, ...] = ()
    messages: str | None = None
    """`pieces`: each `message` that it prints is a piece of a text, not a whole message."""

    @property
    def takes_input(self) -> bool:
        """Whether its stdin stays open for more."""
        return self.input or self.talk is not None

    def argv(self, values: dict[str, str], is_resumed: bool = False) -> list[str]:
        """The command with its placeholders filled in; an element is never split."""
        command = self.resume_command if is_resumed and self.resume_command else self.command
        values = values | {"mode": values.get("mode") or DEFAULT_MODE}
        return [_fill(element, values) for element in command]


def _fill(element: str, values: dict[str, str]) -> str:
    """Replace each placeholder once, left to right; what it brings in is not looked at again."""
    filled, rest = "", element
    while rest:
        found = [(at, name) for name in values if (at := rest.find("{" + name + "}")) >= 0]
        if not found:
            break
        at, name = min(found)
        filled += rest[:at] + values[name]
        rest = rest[at + len(name) + 2 :]
    return filled + rest


BUILT_IN = {
    profile.name: profile
    for profile in (
        Profile(
            name="demo",
            command=(sys.executable, "-I", "-S", str(_DEMO)),
            message="stdin",
            messages="pieces",
        ),
        # Asks, and reads the answers.
        Profile(
            name="demo-dialogue",
            command=(sys.executable, "-I", "-S", str(_DEMO), "--dialogue={message}"),
            input=True,
            messages="pieces",
        ),
        # Holds a conversation, and asks for approvals, without any account.
        Profile(
            name="demo-talk",
            command=(sys.executable, "-I", "-u", str(_DEMO_TALK), "--mode={mode}"),
            resume_command=(
                sys.executable,
                "-I",
                "-u",
                str(_DEMO_TALK),
                "--mode={mode}",
                "--resume={conversation}",
            ),
            talk="claude",
            dialect="claude",
        ),
        Profile(
            name="claude",
            command=_CLAUDE,
            resume_command=(*_CLAUDE, "--resume={conversation}"),
            talk="claude",
            mode="default",
            env=_CLAUDE_ENV,
            dialect="claude",
        ),
        # https://github.com/openai/codex/blob/main/codex-rs/app-server/README.md
        Profile(
            name="codex",
            command=("codex", "app-server"),
            talk="codex",
            env=_CODEX_ENV,
            dialect="codex-app",
        ),
        Profile(
            name="claude-once",
            command=_CLAUDE_ONCE,
            resume_command=(*_CLAUDE_ONCE, "--resume={conversation}"),
            message="stdin",
            env=_CLAUDE_ENV,
            max_seconds=3600,
            dialect="claude",
        ),
        Profile(
            name="codex-once",
            command=(*_CODEX_ONCE, *_CODEX_JSON, "-"),
            resume_command=(*_CODEX_ONCE, "resume", *_CODEX_JSON, "{conversation}", "-"),
            message="stdin",
            env=_CODEX_ENV,
            max_seconds=3600,
            dialect="codex",
        ),
        # https://opencode.ai/docs/cli/#run and https://geminicli.com/docs/cli/headless
        Profile(
            name="opencode-once",
            command=_OPENCODE_ONCE,
            resume_command=(*_OPENCODE_ONCE, "--session={conversation}"),
            message="stdin",
            env=_OPENCODE_ENV,
            max_seconds=3600,
            dialect="opencode",
        ),
        Profile(
            name="gemini-once",
            command=("gemini", "--output-format=stream-json"),
            message="stdin",
            env=_GEMINI_ENV,
            max_seconds=3600,
            dialect="gemini",
        ),
        # https://geminicli.com/docs and https://opencode.ai/docs/acp
        Profile(
            name="gemini",
            command=("gemini", "--acp"),
            talk="acp",
            env=_GEMINI_ENV,
            dialect="acp",
        ),
        Profile(
            name="opencode",
            command=("opencode", "acp"),
            talk="acp",
            env=_OPENCODE_ENV,
            dialect="acp",
        ),
        Profile(
            name="choragen",
            command=(
                "choragen",
                "agent:run",
                "--workflow={workflowId}",
                "--stage={stageIndex}",
                "--message={message}",
            ),
            env=(
                "ANTHROPIC_API_KEY",
                "OPENAI_API_KEY",
                "GEMINI_API_KEY",
                "OLLAMA_HOST",
                "CHORAGEN_PROVIDER",
                "CHORAGEN_MODEL",
            ),
            max_seconds=3600,
        ),
    )
}
