"""Our folder names are common words; nothing else that is installed may answer to them."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.lints.source import ROOT


def _ours() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return set(packages)


def taken(names: set[str], installed: set[str]) -> set[str]:
    """The names that the standard library or an installed package has, too."""
    return names & (installed | sys.stdlib_module_names)


def test_no_installed_package_has_one_of_our_names() -> None:
    installed = {name for name, owners in packages_distributions().items() if owners != ["miyabi"]}

    assert taken(_ours(), installed) == set()


def test_a_name_that_is_taken_is_found() -> None:
    assert taken({"agents", "email", "bot"}, {"agents"}) == {"agents", "email"}


def test_each_of_our_names_resolves_inside_the_repository() -> None:
    """Started as users start it: `python -m`, from a folder with traps in it."""
    ask = "import importlib.util as u, sys; print(*(u.find_spec(n).origin for n in sys.argv[1:]))"
    names = sorted(_ours())

    found = subprocess.run(
        [sys.executable, "-P", "-c", ask, *names],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert found == [str(ROOT / name / "__init__.py") for name in names]


def test_the_standard_library_is_not_hidden_by_our_platform_folders() -> None:
    import email

    assert not Path(email.__file__).is_relative_to(ROOT / "bot")
