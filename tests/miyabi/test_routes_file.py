"""The file of routes that miyabi.toml names: brought in, again when it changes, and its errors."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.approvals.routes import all_stored
from core.settings import Settings
from miyabi import routes_file
from miyabi.routes_file import bring_in, keep_routes, look
from tests.core.house import Office, open_office

GOOD = """\
[routes.letter]
[[routes.letter.steps]]
name = "{name}"
who = [{{ person = "boss" }}]
"""


async def _versions(office: Office) -> list[tuple[str, int, bool]]:
    async with office.house.engine.connect() as connection:
        stored = await all_stored(connection, office.organisation.id)
    return [(each.name, each.version, "two" in each.source) for each in stored]


async def _become(office: Office, expected: list[tuple[str, int, bool]]) -> None:
    while await _versions(office) != expected:  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0.01)


async def test_a_file_is_brought_in_and_one_with_an_error_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "routes.toml"
    settings = Settings(organisation="acme", routes_file=path)
    async with open_office(database_url) as office:
        with capture_logs() as said:
            await bring_in(office.house, settings)
            path.write_text(GOOD.format(name="one"), "utf-8-sig")
            await asyncio.gather(*(bring_in(office.house, settings) for _ in range(3)))
            assert await _versions(office) == [("letter", 1, False)]
            [well] = await look(settings, office.house)
            path.write_text(GOOD.format(name="two").replace("person", "persn"), "utf-8")
            await bring_in(office.house, settings)
            [wrong] = await look(settings, office.house)
            path.write_text(GOOD.format(name="two").replace("boss", "nobody"), "utf-8")
            [stranger] = await look(settings, office.house)

        assert await _versions(office) == [("letter", 1, False)]
        assert [line["event"] for line in said] == [
            "routes.file_unreadable",
            "routes.changed",
            "routes.file_wrong",
        ]
        assert said[-1]["line"] == 4
        assert "no such key as “persn”" in said[-1]["why"]
        assert (well.well, wrong.well, stranger.well) == (True, False, False)
        assert wrong.fix is not None
        assert "line 4: There is no such key as “persn”." in wrong.fix.en
        assert stranger.fix is not None
        assert "line 4: There is nobody called “nobody”." in stranger.fix.en


async def test_a_file_that_changes_is_brought_in_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_file, "LOOK_EVERY", 0.01)
    path = tmp_path / "routes.toml"
    path.write_text(GOOD.format(name="one"), "utf-8")
    async with open_office(database_url) as office:
        keeping = asyncio.create_task(
            keep_routes(office.house, Settings(organisation="acme", routes_file=path))
        )
        async with asyncio.timeout(20):
            await _become(office, [("letter", 1, False)])
            path.write_text(GOOD.format(name="number two"), "utf-8")
            await _become(office, [("letter", 2, True)])
        keeping.cancel()
