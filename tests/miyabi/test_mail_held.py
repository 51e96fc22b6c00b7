"""`miyabi mail held …`: what is held is listed, released, and dropped."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core import people
from core.inbound import Inbound, Sender, Spot
from core.intake import accept
from core.unit import unit
from miyabi.cli import app
from tests.core.house import check_complete, open_office


async def test_the_operator_lists_releases_and_drops(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # It would be how everything logs in this process from now on.
    monkeypatch.setattr("miyabi.logs.configure", lambda **_: None)
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MIYABI_HOME": str(tmp_path),
        "MIYABI_SECRET_KEY": "A" * 43 + "=",
        "LC_ALL": "en_US.UTF-8",
    }

    async def held(*arguments: str, code: int = 0) -> str:
        command = ["mail", "held", *arguments, "--org", "acme"]
        done = await asyncio.to_thread(CliRunner().invoke, app, command, env=environment)
        assert done.exit_code == code, done.output
        return done.output

    sender = Sender("email", "acme", "asker@x.example")
    async with open_office(database_url) as office:
        async with unit(office.house) as work:
            await people.link(work, office.asker, sender)
        asked = [
            await accept(
                office.house,
                Inbound(sender, Spot(sender.account, f"<{n}@x>"), f"k{n}", f"letter {n}",
                        held=True),
            )
            for n in range(2)
        ]  # fmt: skip

        listed = json.loads(await held("list", "--json"))["held"]
        said = await held("list")
        said += await held("release", "#1001")
        said += await held("drop", "1002")
        said += await held("release", "#1001", code=3)
        said += await held("drop", "nonsense", code=3)
        said += await held("list")

        assert [await office.state(each.task_id) for each in asked] == ["received", "cancelled"]
    await check_complete(database_url)
    assert [told(row) for row in listed] == ["1001 Asker 0", "1002 Asker 1"]
    assert "#1001 is released" in said
    assert said.rstrip().endswith("Nothing is held.")


def told(row: dict[str, object]) -> str:
    return f"{row['reference']} {row['requester']} {row['text']}"
