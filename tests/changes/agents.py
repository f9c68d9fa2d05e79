"""Agents whose messages are commands for a shell, which they run in their folder."""

from pathlib import Path
from typing import Any

from tests.server import python_agent

_TALKS = """
import json, os, subprocess
def say(**line): print(json.dumps(line)); sys.stdout.flush()
for text in sys.stdin:
    line = json.loads(text)
    if line["type"] == "control_request":
        say(type="control_response", response={
            "subtype": "success", "request_id": line["request_id"], "response": {}})
    elif line["type"] == "user":
        say(type="system", subtype="init", session_id="c-%d" % os.getppid(), model="demo-1")
        say(**line, isReplay=True)
        content = line["message"]["content"]
        command = content if isinstance(content, str) else content[0]["text"]
        subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL)
        say(type="assistant", message={"role": "assistant", "content": [
            {"type": "text", "text": "Done."}]})
        say(type="result", subtype="success", is_error=False, terminal_reason="completed",
            total_cost_usd=0.01, usage={})
"""


def agents(cwd: Path) -> dict[str, dict[str, Any]]:
    """Profiles that work in `cwd`: `shell` holds a conversation, `once` runs one command."""
    talks = python_agent(_TALKS, talk="claude", dialect="claude", cwd=str(cwd))
    del talks["message"]
    once = python_agent("import os; os.system(sys.stdin.read())", cwd=str(cwd))
    return {"shell": talks, "once": once}
