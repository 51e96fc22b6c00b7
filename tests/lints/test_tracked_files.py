"""What is committed names no package registry's host and no path of one machine."""

import re
import subprocess

import pytest

from tests.lints.source import ROOT

# In two halves, or this file would find itself.
_HOSTS = [("pypi", "org"), ("files.pythonhosted", "org"), ("registry.npmjs", "org")]
_FOLDERS = [("/wo", "rk/"), ("/ro", "ot/"), ("/opt/", "pypi"), ("/opt/", "wheels"), ("/Us", "ers/")]
_OPTIONS = [("--index", "url"), ("--extra-index", "url"), ("--find", "links")]
_FORBIDDEN = re.compile(
    "|".join(
        [re.escape(f"{a}.{b}") for a, b in _HOSTS]
        + [rf"(?<![\w.]){re.escape(a + b)}" for a, b in _FOLDERS]
        + [re.escape(f"{a}-{b}") for a, b in _OPTIONS]
    )
)


def traces(text: str) -> list[str]:
    """The hosts, paths and options in a text that belong to one machine."""
    return _FORBIDDEN.findall(text)


def _tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what is tracked cannot be told")
    listed = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]


def test_no_tracked_file_names_a_registry_or_a_machines_path() -> None:
    found = {
        name: marks
        for name in _tracked()
        if (marks := traces((ROOT / name).read_bytes().decode("utf-8", "ignore")))
    }

    assert found == {}


@pytest.mark.parametrize("halves", [*_FOLDERS, *[(f"{a}.", b) for a, b in _HOSTS]])
def test_a_trace_is_found(halves: tuple[str, str]) -> None:
    assert traces("see '" + "".join(halves) + "x'")


def test_an_ordinary_path_is_no_trace() -> None:
    assert traces("./work/main src/work/x") == []
