"""The page's pure modules, tested by `node --test` with the node that Playwright brings."""

import os
import subprocess
from pathlib import Path

import playwright
import pytest

FOLDER = Path(__file__).parent / "js"
NODE = Path(playwright.__file__).parent / "driver" / "node"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.test.mjs")), ids=lambda file: file.stem)
def test_the_modules_do_what_their_tests_say(file: Path) -> None:
    command = [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", str(file)]
    environment = {**os.environ, "NO_COLOR": "1", "TZ": "UTC"}
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "pass 0\n" not in finished.stdout, "no test was found"
