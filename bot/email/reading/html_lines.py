"""Lines of a text as a tree of HTML is gone through: white space, quotes, rows of tables."""

import re
from dataclasses import dataclass, field

_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_WIDEST_CELL = 200


@dataclass(slots=True)
class Row:
    """A row of a table: where in the lines it began, and where each of its cells did."""

    line: int
    cells: list[int] = field(default_factory=list)
    nested: bool = False


@dataclass(slots=True)
class Writer:
    """Lines as they come: each with how deep it is quoted."""

    lines: list[tuple[int, str]] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    quoted: int = 0
    raw: int = 0
    """Within so many <pre>."""

    def put(self, text: str) -> None:
        """Go on with the line."""
        text = _INVISIBLE.sub("", text)
        if self.raw:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self.current.append(first)
            for line in others:
                self.end(forced=True)
                self.current.append(line)
            return
        text = _SPACES.sub(" ", text)
        if text == " " and not self.current:
            return
        self.current.append(text)

    def end(self, *, forced: bool = False) -> None:
        """End the line; an empty one only where it is `forced`."""
        if self.raw:
            line = "".join(self.current).rstrip()
        else:
            line = _SPACES.sub(" ", "".join(self.current)).strip(" ")
        if line or forced:
            self.lines.append((self.quoted, line))
        self.current.clear()

    def space(self) -> None:
        """An empty line, unless there is one."""
        self.end()
        if self.lines and self.lines[-1][1]:
            self.lines.append((self.quoted, ""))

    def text(self) -> str:
        """All lines; those of quotes begin with as many marks as they are deep."""
        self.end()
        lines: list[str] = []
        for depth, line in self.lines:
            text = f"{'>' * depth} {line}".rstrip() if depth else line
            if line or (lines and lines[-1].strip("> ")):
                lines.append(text)
        return "\n".join(lines).strip("\n")


def as_row(row: Row, writer: Writer) -> None:
    """Put one line for a row of a table that holds short things: its cells with tabs between."""
    if row.nested or len(row.cells) < 2:
        return
    bounds = [*row.cells[1:], len(writer.lines)]
    cells = [
        " ".join(line for _, line in writer.lines[start:end] if line)
        for start, end in zip(row.cells, bounds, strict=True)
    ]
    if all(len(cell) <= _WIDEST_CELL for cell in cells) and any(cells):
        del writer.lines[row.line :]
        writer.lines.append((writer.quoted, "\t".join(cells).rstrip("\t")))
