"""`miyabi notify`: who is on call, and acknowledging."""

from collections.abc import Iterator

import pytest

from tests.miyabi.terminal import Terminal, open_terminal


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A terminal with the sample company; its servers stay up for all tests here."""
    with open_terminal(running=True) as terminal:
        yield terminal


def test_a_rota_is_made_shown_swapped_and_removed(terminal: Terminal) -> None:
    made = terminal.run(
        "notify", "rota", "add", "ops", "sato", "suzuki", "--at", "月曜 10:00",
        "--zone", "America/New_York", "--from", "2035-01-01",
    )  # fmt: skip
    again = terminal.run("notify", "rota", "add", "ops", "sato")
    swapped = terminal.run("notify", "rota", "swap", "ops", "suzuki", "2020-01-01", "2034-01-01")
    shown = terminal.run("notify", "rota", "show", "ops", "--weeks", "2", "--json")
    back = terminal.run("notify", "rota", "unswap", "ops", "2021-06-01 12:00")
    after = terminal.run("notify", "rota", "show", "ops", "--weeks", "2")
    removed = terminal.run("notify", "rota", "remove", "ops")
    listed = terminal.run("notify", "rota", "list", "--json")

    assert (made.code, "佐藤" in made.out) == (0, True), made.err
    assert (again.code, "すでにあります" in again.err) == (3, True)
    assert swapped.code == 0, swapped.err
    [shift] = shown.data["shifts"]
    assert (shift["swapped"], "鈴木" in shift["name"]) == (True, True)
    assert "1 件" in back.out
    assert "佐藤" in after.out
    assert "鈴木" not in after.out
    assert (removed.code, listed.data["rotas"]) == (0, [])


def test_what_nobody_acknowledged_can_be_listed_and_an_unknown_notice_is_refused(
    terminal: Terminal,
) -> None:
    listed = terminal.run("notify", "ack", "--json")
    unknown = terminal.run("notify", "ack", "0123456789ab", "--as", "sato")
    assert listed.data["notices"] == []
    assert (unknown.code, "その通知はありません" in unknown.err) == (3, True)
