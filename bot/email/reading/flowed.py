"""Text that mail programs broke by themselves, in one line again (RFC 3676, format=flowed)."""


def unflow(text: str, delsp: bool) -> str:
    """Join lines that end in a space with the next one, if it is quoted as deep.

    `delsp`: the space at the end was added by the program (RFC 3676, 4.1), and goes. Spaces that
    were put before a line go as well (4.4). The line before a signature joins nothing.
    """
    joined: list[str] = []
    begun: list[str] = []
    """The parts of a line that goes on in the next."""
    open_depth = -1
    for raw in text.replace("\r\n", "\n").split("\n"):
        line = raw.lstrip(">")
        depth = len(raw) - len(line)
        if line[:1] == " ":
            line = line[1:]
        dashes = line == "-- "
        if begun and (dashes or depth != open_depth):
            joined.append("".join(begun))
            begun = []
        flows = line[-1:] == " " and not dashes
        if flows and delsp:
            line = line[:-1]
        if depth and not begun:
            line = f"{'>' * depth} {line}"
        if flows:
            begun.append(line)
            open_depth = depth
        elif begun:
            joined.append("".join((*begun, line)))
            begun = []
        else:
            joined.append(line)
    if begun:
        joined.append("".join(begun))
    return "\n".join(joined)
