"""Agents from npm, installed on first use; only for `make test-agents`."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.server import ROOT
from webapp.agents.profiles import BUILT_IN, Profile


@dataclass(frozen=True)
class Agent:
    """A package, its profile, and what it needs to call a model on loopback."""

    package: str
    version: str
    profile: Profile
    shell: tuple[str, str]
    """The name of its tool, and of the argument with the command."""
    configure: Callable[[Path, str], dict[str, str]]
    """Writes what it needs into its home; the environment, for a model's URL."""
    programs: str = "node_modules/.bin"
    remembers: bool = True
    """Whether it can go on with a conversation of an earlier process."""

    @property
    def id(self) -> str:
        """For the test's name."""
        return f"{self.package.rpartition('/')[2]}-{self.version}"

    def path(self) -> Path:
        """The folder of its program."""
        folder = ROOT / ".venv" / "agents" / self.id
        if not (folder / self.programs).exists():
            folder.mkdir(parents=True, exist_ok=True)
            package = f"{self.package}@{self.version}"
            subprocess.run(["npm", "install", "--prefix", str(folder), package], check=True)
        return folder / self.programs


def _claude(_home: Path, url: str) -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": "no-key",
        "ANTHROPIC_BASE_URL": url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def _codex(home: Path, url: str) -> dict[str, str]:
    folder = home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(
        'model = "m"\nmodel_provider = "here"\n[model_providers.here]\nname = "here"\n'
        f'base_url = "{url}/v1"\nwire_api = "responses"\nenv_key = "OPENAI_API_KEY"\n'
    )
    return {"OPENAI_API_KEY": "no-key", "CODEX_HOME": str(folder)}


def _opencode(home: Path, url: str) -> dict[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "here",
        "options": {"baseURL": f"{url}/v1", "apiKey": "no-key"},
        "models": {"m": {"name": "m"}},
    }
    config = {
        "model": "here/m",
        "permission": {"bash": "ask", "edit": "ask"},
        "provider": {"here": provider},
    }
    folder = home / ".config" / "opencode"
    folder.mkdir(parents=True)
    (folder / "opencode.json").write_text(json.dumps(config))
    return {}


def _gemini(home: Path, url: str) -> dict[str, str]:
    folder = home / ".gemini"
    folder.mkdir()
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (folder / "settings.json").write_text(json.dumps(auth))
    return {"GEMINI_API_KEY": "no-key", "GOOGLE_GEMINI_BASE_URL": url}


_CLAUDE_ACP = replace(
    BUILT_IN["opencode"], name="claude-acp", command=("claude-agent-acp",), env=()
)
AGENTS = (
    *(
        Agent(
            "@anthropic-ai/claude-code", version, BUILT_IN["claude"], ("Bash", "command"), _claude
        )
        for version in ("2.1.197", "2.1.332")
    ),
    Agent(
        *("@openai/codex", "0.171.0", BUILT_IN["codex"], ("exec_command", "cmd"), _codex),
        programs="node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin",
    ),
    Agent("opencode-ai", "1.18.33", BUILT_IN["opencode"], ("bash", "command"), _opencode),
    Agent(
        *("@google/gemini-cli", "0.61.0", BUILT_IN["gemini"]),
        *(("run_shell_command", "command"), _gemini),
        remembers=False,
    ),
    Agent(
        *("@agentclientprotocol/claude-agent-acp", "0.49.0", _CLAUDE_ACP),
        *(("Bash", "command"), _claude),
    ),
)
"""Claude Code 2.1.197 is what npm installs with Node 20 without a version."""
