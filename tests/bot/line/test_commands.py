"""`miyabi line …`: a channel is connected, set up, given another token, and removed.

In this process: a fresh one would load LINE's SDK for each command.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from miyabi.build import open_house
from miyabi.cli import app
from miyabi.embedded import Services
from tests.bot.line.conftest import COMPANY, KEY, PEOPLE, hire, settings_for
from tests.fakes.line.server import FakeLine


async def test_a_channel_is_connected_set_up_given_another_token_and_removed(
    line: FakeLine, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = line.home
    home.quota, home.used, home.secret = 200, 7, "c" * 32
    async with open_house(settings_for(line, tmp_path, services), services) as built:
        await hire(built.house, "default", COMPANY, home, PEOPLE)
    monkeypatch.chdir(tmp_path)
    # It would be how everything logs in this process from now on.
    monkeypatch.setattr("miyabi.logs.configure", lambda **_: None)
    environment = {
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
        "MIYABI_HOME": str(tmp_path),
        "MIYABI_SECRET_KEY": KEY,
        "MIYABI_PUBLIC_URL": "https://miyabi.example",
        "LINE_API_URL": line.api_url,
        "LINE_DATA_URL": line.api_url,
        "LC_ALL": "ja_JP.UTF-8",
    }
    said = ""

    async def run(*arguments: str, typed: str = "", code: int = 0) -> Result:
        nonlocal said
        done = await asyncio.to_thread(
            CliRunner().invoke, app, ["line", *arguments], input=typed, env=environment
        )
        assert done.exit_code == code, done.output
        said += done.output
        return done

    async def data(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await run(*arguments, "--json")).stdout)
        return found

    await run("add", typed=f"{home.secret}\n\n", code=3)  # neither a token nor an id
    await run("add", typed=f"{home.secret}\nnone such\n", code=1)
    added = await run("add", typed=f"{home.secret}\n{home.token}\n")
    assert "みやび商会" in added.output
    assert await data("setup") == {
        "channel": home.destination,
        "menus_made": 3,
        "webhook": "https://miyabi.example/line/webhook",
    }
    assert len(home.menus) == len({*home.user_menus.values()}) + 2 == 3
    assert home.endpoint == "https://miyabi.example/line/webhook"
    [month] = (await data("quota"))["quotas"]
    assert (month["line_says"], month["we_pushed"], month["most"]) == (7, 0, 200)
    assert month["kept_for_approvals"] == 10

    await run("token", "--channel-id", home.id, typed="\n")
    [channel] = (await data("list"))["channels"]
    assert (channel["channel_id"], channel["token"]) == (home.id, "short-lived")
    await run("remove", home.destination)
    await run("remove", home.destination, code=3)
    assert home.secret not in said
    assert home.token not in said
