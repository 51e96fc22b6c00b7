"""The repository's own source, as the lints read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file; `name` is its path inside the repository."""

    name: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, text: str, name: str = "bad.py") -> "Source":
        return cls(name, text, ast.parse(text))

    def lines(self, first: int, last: int) -> str:
        """The lines from first to last, counted from 1, both included."""
        return "\n".join(self.text.splitlines()[max(first - 1, 0) : last])


def sources(*places: str) -> list[Source]:
    """Every Python file of these folders and files of the repository."""
    found = [
        Source.of(path.read_text("utf-8"), str(path.relative_to(ROOT)))
        for place in places
        for path in _files(ROOT / place)
    ]
    assert found, f"nothing to check in {places}"
    return found


def _files(place: Path) -> Iterator[Path]:
    return iter([place]) if place.is_file() else iter(sorted(place.rglob("*.py")))


def called(node: ast.AST) -> str:
    """The dotted name that a call calls, or ""."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""
