"""Sessions that are taken elsewhere, for the tests of `export` and `import`."""

from tests.cli.command import run
from tests.server import Server, python_agent

BYTES = r"""
import os
os.write(1, b'{"type":"message","content":"hi"}\n')
os.write(1, b'caf\xc3\xa9 \xff\xfe raw\r\n')
os.write(2, b'warning \x1b[31mred\x1b[0m\n')
os.write(1, b'{"type":"tool_call","name":"read","args":{"path":"' + b'a' * 300 + b'"}}\n')
time.sleep(0.2)
os.write(1, b'no newline')
"""

AGENTS = {
    "bytes": python_agent(BYTES),
    "slow": python_agent("for n in range(5): print('line', n); time.sleep(0.1)"),
    "lines": python_agent("for n in range(500): print(f'line {n}.')"),
    "input": python_agent("print(sys.stdin.read())", input=True),
    "forever": python_agent("print('started')\nwhile True: time.sleep(0.05)"),
}


def ended(place: Server, agent: str, message: str = "") -> str:
    """A session that has run to its end; its id."""
    session_id = place.invoke(agent, message)
    place.wait_until_ended(session_id)
    return session_id


def exported(place: Server, session_id: str, form: str) -> str:
    """What `export` writes of it."""
    output = run(place, "export", session_id, "--format", form)
    assert output.returncode == 0, output.stderr
    assert output.stderr == ""
    return output.stdout
