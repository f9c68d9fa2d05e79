"""A server whose agents do what the tests of the command need."""

from collections.abc import Iterator

import pytest

from tests.server import Server, python_agent, running_server

AGENTS = {
    "say": python_agent("print(sys.stdin.read())"),
    "steps": python_agent("for n in range(30): print('step', n); time.sleep(0.03)"),
    "forever": python_agent("print('started')\nwhile True: time.sleep(0.05)"),
    "stubborn": python_agent(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('started')\nwhile True: time.sleep(0.05)"
    ),
    "rude": python_agent(
        r"""print('\x1b[31mred\x1b[0m \x1b]0;title\x07plain \x1b[2Jcleared')
print('{"type":"message","content":"\\u001b]0;title\\u0007json"}')
print('\x1b]52;c;AAAA\x07!', file=sys.stderr)"""
    ),
    "missing": {"command": ["no-such-program-anywhere"]},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with these agents."""
    folder = tmp_path_factory.mktemp("cli")
    with running_server(folder, AGENTS, settings={"grace_seconds": 1}) as server:
        yield server
