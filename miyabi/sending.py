"""Files of whoever sits at the terminal: looked at here, put into the store, then announced.

The store is the house's: whichever worker takes the task finds them there by their hash.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from core.documents import Files
from core.errors import Refused
from core.file_kinds import MOST_BYTES, NOT_THIS_KIND, OTHER, TEXT, TOO_LARGE, any_kind_of
from core.house import House
from core.inbound import SentFile
from core.words import same

NO_FILE = same("{file}: {why}")


async def put_in(house: House, organisation_id: UUID, paths: Sequence[Path]) -> list[SentFile]:
    """The files, as a message brings them. Raises Refused for one that can't be read or taken:
    then nothing is sent."""
    contents = [await asyncio.to_thread(_content, path) for path in paths]
    files = Files(house, organisation_id)
    return [
        SentFile(await files.put(content, kind), path.name, kind, len(content))
        for path, (content, kind) in zip(paths, contents, strict=True)
    ]


def _content(path: Path) -> tuple[bytes, str]:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Refused(NO_FILE.fill(file=path, why=error.strerror or error)) from error
    if len(content) > MOST_BYTES:
        raise Refused(NO_FILE.fill(file=path, why=TOO_LARGE))
    kind = any_kind_of(content)
    if kind in {None, TEXT, OTHER}:
        raise Refused(NO_FILE.fill(file=path, why=NOT_THIS_KIND))
    return content, kind
