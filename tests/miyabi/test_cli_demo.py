"""The first minute of a newcomer, and whether the audit log notices who tampers with it."""

import asyncio
from collections.abc import Iterator

import asyncpg  # type: ignore[import-untyped]
import pytest

from core.settings import Settings
from miyabi.embedded import embedded
from tests.miyabi.terminal import Terminal, open_terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A fresh folder; nothing runs."""
    with open_terminal(running=False) as terminal:
        yield terminal


def test_the_demo_runs_from_nothing_and_again(terminal: Terminal) -> None:
    first = terminal.run("demo")
    second = terminal.run("demo", "--json")

    assert first.code == 0, first.out + first.err
    assert "251,198円" in first.out
    assert first.out.index("田中 太郎") < first.out.index("鈴木 花子 さんが承認")
    assert "検証済み" in first.out
    assert first.out.index("検証済み") < first.out.index("\n\n— miyabi ")  # a signed checkpoint
    assert second.data["checkpoint"].startswith("miyabi/")
    assert second.code == 0
    assert second.data["number"].endswith("-0002")
    assert not (terminal.home / "postgres.address").exists()  # it stopped what it had started


def test_tampering_is_found_by_verify_and_by_the_doctor(terminal: Terminal) -> None:
    with embedded(Settings(home=terminal.home), durable=False) as services:
        assert terminal.run("demo").code == 0
        whole = terminal.run("audit", "verify", "--json")
        well = terminal.run("doctor", "--json")
        _tamper(
            services.owner_url,
            "alter table audit_events disable trigger append_only",
            "update audit_events set body = jsonb_set(body, '{data,reference}', '7')"
            " where tag = 'intake:task:received'",
        )
        changed = terminal.run("audit", "verify", "--json")
        ill = terminal.run("doctor", "--json")

    assert (whole.code, whole.data["verified"], whole.data["faults"]) == (0, True, [])
    assert (well.code, well.data["well"]) == (0, True), well.out
    assert (changed.code, changed.data["verified"]) == (12, False)
    assert changed.data["kind"] == "modified"
    assert changed.data["first"]["event"] is not None
    assert ill.code == 1
    [finding] = [finding for finding in ill.data["findings"] if not finding["well"]]
    assert "監査ログ" in finding["what"]


def test_the_doctor_says_what_is_wrong_with_the_price_list(terminal: Terminal) -> None:
    prices = terminal.home / "prices.csv"
    prices.write_text("code,name\nA,りんご\n", "utf-8")
    (terminal.home / "miyabi.toml").write_text(
        f'[price_list]\nconnector = "csv"\ncatalog = "{prices}"\n', "utf-8"
    )

    done = terminal.run("doctor", "--json")

    assert done.code == 1
    [finding] = [finding for finding in done.data["findings"] if not finding["well"]]
    assert "prices.csv" in finding["fix"]


def test_a_ledger_that_cant_be_kept_is_told_of_by_the_doctor_and_by_the_task(
    terminal: Terminal,
) -> None:
    (terminal.home / "miyabi.toml").write_text(
        '[ledger]\nconnector = "google_sheets"\nservice_account = "/no/such/key.json"\n'
        f'spreadsheet = "{"x" * 20}"\n',
        "utf-8",
    )
    asked = terminal.run("ask", "見積 株式会社ABC商事 モニター5台", "--json")  # makes the company

    done = terminal.run("doctor", "--json")

    assert asked.data["state"] == "waiting"
    assert done.code == 1
    [finding] = [finding for finding in done.data["findings"] if not finding["well"]]
    assert finding["what"].startswith("台帳")
    assert "/no/such/key.json" in finding["fix"]

    terminal.run("approve", asked.data["task"], "--json")
    shown = terminal.run("show", asked.data["task"], "--json")
    [effect] = shown.data["effects"]
    assert shown.data["state"] == "failed"
    assert "/no/such/key.json" in shown.data["failure"]
    assert (effect["kind"], effect["target"], effect["state"]) == ("append", "見積台帳", "failed")
    assert "台帳記入（見積台帳）" in terminal.run("show", asked.data["task"]).out


def test_keys_are_added_listed_and_retired(terminal: Terminal) -> None:
    with embedded(Settings(home=terminal.home), durable=False):
        demo = terminal.run("demo", "--json").data["checkpoint"]
        [old] = terminal.run("audit", "key", "list", "--json").data["keys"]
        added = terminal.run("audit", "key", "new").out.strip()
        retired = terminal.run("audit", "key", "retire", old["vkey"])
        last = terminal.run("audit", "key", "retire", added)
        listed = terminal.run("audit", "key", "list", "--json").data["keys"]
    printed = terminal.run("audit", "key", "new", "--print", "--name", "other")

    assert demo.count("— miyabi ") == 1
    assert (retired.code, last.code) == (0, 3)
    assert [(each["vkey"], each["retired_at"] is None, each["signs_here"]) for each in listed] == [
        (old["vkey"], False, False),
        (added, True, True),
    ]
    assert printed.out.startswith("PRIVATE+KEY+other+")


def _tamper(url: str, *statements: str) -> None:
    """As somebody who owns the tables."""

    async def run() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
