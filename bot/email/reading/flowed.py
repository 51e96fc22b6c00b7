"""Text that mail programs broke by themselves, in one line again (RFC 3676, format=flowed)."""

import re

_MARKS = re.compile(r">*")


def unflow(text: str, delsp: bool) -> str:
    """Join lines that end in a space with the next one, if it is quoted as deep.

    `delsp`: the space at the end was added by the program (RFC 3676, 4.1), and goes.
    """
    paragraphs: list[tuple[int, list[str]]] = []
    open_at: int | None = None
    for raw in text.replace("\r\n", "\n").split("\n"):
        depth = _MARKS.match(raw).end()  # type: ignore[union-attr]
        line = raw[depth:]
        if line.startswith(" "):
            line = line[1:]
        signature = line == "-- "
        flows = line.endswith(" ") and not signature
        if flows and delsp:
            line = line[:-1]
        if open_at == depth and not signature:
            paragraphs[-1][1].append(line)
        else:
            paragraphs.append((depth, [line]))
        open_at = depth if flows else None
    return "\n".join(
        f"{'>' * depth} {''.join(parts)}" if depth else "".join(parts)
        for depth, parts in paragraphs
    )
