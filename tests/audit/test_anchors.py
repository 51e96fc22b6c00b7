"""A file elsewhere: brought up to date, added to, and read again also after a disk was full."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.anchors import FileAnchor, carry
from audit.verifier.anchors import read_notes
from tests.audit.log_of_one import ORGANISATION, event, sign, verify, write


async def test_an_anchor_gets_what_it_lacks_once_it_is_there_again(
    app: AsyncEngine, tmp_path: Path
) -> None:
    path = tmp_path / "mount" / "anchors"
    notes = []
    for _ in range(3):
        await write(app, event(uuid7()))
        notes.append(await sign(app))
    async with app.connect() as connection:
        try:
            await carry(connection, ORGANISATION, FileAnchor(path))
        except OSError:
            path.parent.mkdir()
        assert await carry(connection, ORGANISATION, FileAnchor(path)) == 3
        assert await carry(connection, ORGANISATION, FileAnchor(path)) == 0

    kept = read_notes(path.read_bytes())
    verdict = await verify(app, anchors=kept)

    assert kept == notes
    assert (verdict.kind, verdict.anchors, verdict.unanchored) == (None, 3, 0)


async def test_a_note_that_was_not_written_to_its_end_spoils_no_other(
    app: AsyncEngine, tmp_path: Path
) -> None:
    await write(app, event(uuid7()))
    note = await sign(app)
    path = tmp_path / "anchors"
    path.write_text(note[:60])

    assert read_notes(path.read_bytes()) == []
    async with app.connect() as connection:
        await carry(connection, ORGANISATION, FileAnchor(path))

    assert read_notes(path.read_bytes()) == [note]
