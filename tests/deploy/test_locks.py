"""`requirements/*.lock`: what `make run`, `make test` and the Dockerfile install, by hash."""

import re
import tomllib
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.server import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD: list[str] = PROJECT["build-system"]["requires"]
NEEDED: dict[str, list[str]] = {
    "run": PROJECT["project"]["dependencies"] + BUILD,
    "test": PROJECT["project"]["dependencies"]
    + PROJECT["project"]["optional-dependencies"]["test"]
    + BUILD,
}


def text_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def pins(name: str) -> dict[str, Requirement]:
    """The locked packages that this Python on this machine gets."""
    entries = re.split(r"\n(?=\S)", text_of(name).strip())
    found = [Requirement(entry.partition("\\")[0]) for entry in entries]
    return {
        canonicalize_name(pin.name): pin
        for pin in found
        if pin.marker is None or pin.marker.evaluate()
    }


def version_of(pin: Requirement) -> Version:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


@pytest.mark.parametrize("name", NEEDED)
def test_lock_has_a_version_of_everything_that_the_project_names(name: str) -> None:
    locked = pins(name)
    for needed in map(Requirement, NEEDED[name]):
        version = version_of(locked[canonicalize_name(needed.name)])
        assert version in needed.specifier, f"{needed} is locked at {version}: run make lock"


@pytest.mark.parametrize("name", NEEDED)
def test_lock_has_what_its_packages_need_themselves(name: str) -> None:
    locked = pins(name)
    for pin in locked.values():
        assert Version(metadata.version(pin.name)) == version_of(pin), "run .ci/set-up test"
        for needed in map(Requirement, metadata.requires(pin.name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                version = version_of(locked[canonicalize_name(needed.name)])
                assert version in needed.specifier, f"{pin.name} needs {needed}"


@pytest.mark.parametrize("name", NEEDED)
def test_each_locked_package_has_hashes_and_names_no_registry(name: str) -> None:
    text = text_of(name)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text
    assert "--index" not in text


def test_tests_run_with_the_versions_of_the_server() -> None:
    tested = pins("test")
    assert {name: version_of(pin) for name, pin in pins("run").items()} == {
        name: version_of(tested[name]) for name in pins("run")
    }


def test_lock_is_no_narrower_than_the_pythons_and_machines_that_are_supported() -> None:
    entry = re.search(r"^msgspec==.*?(?=^\S)", text_of("run"), re.MULTILINE | re.DOTALL)
    assert entry is not None
    # 3.11 to 3.13, x86_64 and aarch64, glibc and musl: a wheel each.
    assert entry[0].count("--hash=") >= 12
    assert "python_full_version == " not in text_of("run")


def test_wheel_leaves_the_choice_of_versions_to_who_installs_it() -> None:
    dependencies = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    assert not [each for each in dependencies if "==" in str(each.specifier)]


def test_what_builds_the_package_is_locked() -> None:
    assert PROJECT["dependency-groups"]["build"] == BUILD
