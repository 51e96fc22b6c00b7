"""LINE channels on the command line, against a fake LINE."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.line.server import FakeLine
from tests.miyabi.terminal import Done, Terminal, open_terminal


@pytest.fixture
async def line() -> AsyncIterator[FakeLine]:
    async with FakeLine() as fake:
        yield fake
        assert fake.violations == []


async def test_a_channel_is_connected_set_up_given_another_token_and_removed(
    line: FakeLine,
) -> None:
    home = line.home
    home.quota, home.used, home.secret = 200, 7, "c" * 32
    given = {
        "LINE_API_URL": line.api_url,
        "LINE_DATA_URL": line.api_url,
        "MIYABI_PUBLIC_URL": "https://miyabi.example",
    }

    def work(terminal: Terminal) -> list[Done]:
        def run(*arguments: str, typed: str = "") -> Done:
            return terminal.run("line", *arguments, typed=typed, **given)

        nothing = run("add", typed=f"{home.secret}\n\n")
        added = run("add", typed=f"{home.secret}\n{home.token}\n")
        setup = run("setup", "--json")
        quota = run("quota", "--json")
        short = run("token", "--channel-id", home.id, typed="\n")
        after = run("list", "--json")
        removed = run("remove", home.destination)
        return [nothing, added, setup, quota, short, after, removed]

    with open_terminal(running=True) as terminal:
        done = await asyncio.to_thread(work, terminal)

    assert [each.code for each in done] == [3, 0, 0, 0, 0, 0, 0], done
    _, added, setup, quota, _, after, _ = done
    assert "みやび商会" in added.out
    assert setup.data == {
        "channel": home.destination,
        "menus_made": 3,
        "webhook": "https://miyabi.example/line/webhook",
    }
    assert len(home.menus) == 3
    assert home.endpoint == setup.data["webhook"]
    [month] = quota.data["quotas"]
    assert (month["used"], month["most"], month["kept_for_approvals"]) == (7, 200, 10)
    [channel] = after.data["channels"]
    assert (channel["channel_id"], channel["token"]) == (home.id, "short-lived")
    said = "".join(each.out + each.err for each in done)
    assert home.secret not in said
    assert home.token not in said
