"""`miyabi notify`: who is on call, acknowledging, programs that send, and places."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.miyabi.terminal import Done, Terminal, open_terminal


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


def test_a_program_is_let_in_listed_and_shut_out(terminal: Terminal) -> None:
    added = terminal.run("notify", "sender", "add", "zabbix", "alert.*", "log.*")
    refused = terminal.run("notify", "sender", "add", "evil", "approval.*")
    listed = terminal.run("notify", "sender", "list", "--json")
    revoked = terminal.run("notify", "sender", "revoke", "zabbix")
    after = terminal.run("notify", "sender", "list", "--json")

    assert added.out.startswith("miyabi_notify_"), added.err
    assert (refused.code, "approval.*" in refused.err) == (3, True)
    [row] = listed.data["senders"]
    assert (row["name"], row["topics"], row["revoked_at"]) == ("zabbix", ["alert.*", "log.*"], None)
    assert added.out.strip() not in listed.out
    assert revoked.code == 0
    assert after.data["senders"][0]["revoked_at"]


def test_a_notice_is_sent_from_a_script(terminal: Terminal) -> None:
    sent = terminal.run(
        "notify", "send", "log.backup", "-", "--to", "sato", "--to", "role:admin", "--fact",
        "size=12", "--fact", "host=db1", "--json", typed="終わりました",
    )  # fmt: skip
    nobody = terminal.run("notify", "send", "log.backup", "--to", "nobody-here")
    wrong = terminal.run("notify", "send", "Log Backup")

    assert sent.data["topic"] == "log.backup"
    assert (nobody.code, "nobody-here" in nobody.err) == (3, True)
    assert wrong.code == 3


async def test_a_place_is_added_tried_turned_off_and_on_again(terminal: Terminal) -> None:
    """What is made for it is shown once; what opens it never."""

    def run(*words: str, typed: str = "") -> Done:
        settings = {
            "MIYABI_NOTIFY_PRIVATE_NETWORKS": '["127.0.0.0/8"]',
            "MIYABI_NOTIFY_WEBHOOK_ALLOW_HTTP": "true",
        }
        return terminal.run("notify", "place", *words, typed=typed, **settings)

    async with Receiver() as hook:
        added = await asyncio.to_thread(
            run, "add", "ops", "webhook", hook.url, "--owner", "sato", "--json",
            typed="Token hush\n\n\n\n",
        )  # fmt: skip
        hook.secret = added.data["made"]["secret"]
        tried = await asyncio.to_thread(run, "test", "ops", "--json")
        listed = await asyncio.to_thread(run, "list", "--json")
        hook.usual = Answer(410)
        gone = await asyncio.to_thread(run, "test", "ops")
        moved = await asyncio.to_thread(run, "set", "ops", "--address", "http://10.0.0.1/")
        removed = await asyncio.to_thread(run, "remove", "ops")
        unknown = await asyncio.to_thread(run, "test", "ops")

    assert (tried.data["arrived"], tried.data["was_off"]) == (True, False)
    assert hook.calls[0][0]["authorization"] == "Token hush"
    [row] = listed.data["places"]
    assert row["secrets"] == ["authorization", "secret"]
    assert "hush" not in listed.out
    assert hook.secret not in listed.out
    assert (gone.code, "410" in gone.err) == (1, True)
    assert (moved.code, removed.code, unknown.code) == (3, 0, 3)


def test_how_somebody_is_notified_is_set_and_shown_by_whose_clock(terminal: Terminal) -> None:
    quiet = terminal.run("notify", "set", "sato", "静か", "22:00-8:00", "休日も")
    wrong = terminal.run("notify", "set", "sato", "quiet", "25:00-8:00")
    shown = terminal.run("notify", "show", "sato")
    data = terminal.run("notify", "show", "sato", "--json").data
    reset = terminal.run("notify", "set", "sato", "reset")

    assert "22:00 から 08:00 まで" in quiet.out, quiet.err
    assert "Asia/Tokyo、会社の時間帯" in quiet.out
    assert (wrong.code, "25:00" in wrong.err) == (3, True)
    assert "会社の休日は終日" in shown.out
    assert data["quiet"] == {"begins": "22:00:00", "ends": "08:00:00", "days_off": True}
    assert (data["zone"], data["zone_chosen"]) == ("Asia/Tokyo", False)
    assert (reset.code, "既定" in reset.out) == (0, True)


RULES = """
[[rules]]
name = "logs to the accountant, once a day"
topics = ["log.*"]
channels = ["email"]
to = ["person:sato"]
digest = { rhythm = "daily", at = "18:00" }
"""


def test_rules_are_checked_put_in_force_and_tried(terminal: Terminal, tmp_path: Path) -> None:
    good, wrong = tmp_path / "rules.toml", tmp_path / "wrong.toml"
    good.write_text(RULES, "utf-8")
    wrong.write_text(RULES.replace("sato", "nobody"), "utf-8")
    checked = terminal.run("notify", "rules", "check", str(wrong))
    put = terminal.run("notify", "rules", "set", str(good))
    again = terminal.run("notify", "rules", "set", str(good))
    shown = terminal.run("notify", "rules", "show")
    history = terminal.run("notify", "rules", "history", "--json")
    explained = terminal.run(
        "notify", "explain", "log.backup", "--to", "sato", "--at", "2035-01-02 12:00", "--json"
    )

    assert (checked.code, "6行目: 「nobody」に当たるものがありません" in checked.err) == (3, True)
    assert "第1版" in put.out, put.err
    assert "変更はありません" in again.out
    assert "logs to the accountant" in shown.out
    assert 'name = "everything"' in shown.out
    assert [each["version"] for each in history.data["versions"]] == [1]
    assert explained.data["rules_version"] == 1
    assert explained.data["reasons"]
    refused = terminal.run("notify", "explain", "x", "--to", "sato", "--importance", "urgent")
    assert (refused.code, "urgent" in refused.err) == (3, True)


def test_a_companys_words_are_tried_kept_previewed_and_taken_back(
    terminal: Terminal, tmp_path: Path
) -> None:
    file, wrong = tmp_path / "own.toml", tmp_path / "wrong.toml"
    file.write_text("title = '在庫切れ: {{ item }} {{ price | yen }}'\n", "utf-8")
    wrong.write_text("title = '{{ item.upper() }}'\n", "utf-8")
    facts = ("--fact", "item=ねじ", "--fact", "price=1200")
    ja = ("--language", "ja")

    untried = terminal.run("notify", "template", "set", "stock.low", str(file), *ja)
    refused = terminal.run("notify", "template", "set", "stock.low", str(wrong), *ja, *facts)
    kept = terminal.run("notify", "template", "set", "stock.low", str(file), *ja, *facts)
    seen = terminal.run(
        "notify", "preview", "stock.low", "--channel", "slack", *ja, *facts, "--json"
    )
    listed = terminal.run("notify", "template", "list", "--json")
    failing = terminal.run("notify", "preview", "stock.low", *ja)
    gone = terminal.run("notify", "template", "remove", "stock.low")
    plain = terminal.run("notify", "preview", "stock.low", "--fact", "title=x", *ja)

    assert (untried.code, "item is missing" in untried.err) == (3, True)
    assert (refused.code, "title" in refused.err) == (3, True)
    assert (kept.code, "slack" in kept.out) == (0, True), kept.err
    assert "在庫切れ: ねじ 1,200円" in seen.data["sent"]
    assert {"topic": "stock.low", "ours": False, "own": ["ja"]} in listed.data["templates"]
    assert (failing.code, "item is missing" in failing.err) == (1, True)
    assert (gone.code, plain.out.strip()) == (0, "x")


def test_dead_letters_are_listed_and_only_those_that_are_named_are_touched(
    terminal: Terminal,
) -> None:
    listed = terminal.run("notify", "dead", "list")
    nothing = terminal.run("notify", "dead", "drop")
    unknown = terminal.run("notify", "dead", "replay", "0123abcd")
    every = terminal.run("notify", "dead", "replay", "--all", "--json")
    assert (listed.code, "ありません" in listed.out) == (0, True), listed.err
    assert (nothing.code, "--all" in nothing.err) == (2, True)
    assert (unknown.code, "0123abcd" in unknown.err) == (3, True)
    assert every.data == {"count": 0}


def test_a_harmless_notice_is_tried_on_each_channel_and_told_what_arrived(
    terminal: Terminal,
) -> None:
    told = terminal.run("notify", "test", "sato")
    assert told.code == 0, told.err
    assert "console  sato: 送信しました" in told.out


def test_reports_are_switched_on_and_off(terminal: Terminal) -> None:
    none = terminal.run("notify", "report", "show")
    on = terminal.run("notify", "report", "on", "daily", "--at", "7:45")
    wrong = terminal.run("notify", "report", "on", "weekly", "--at", "25:00")
    shown = terminal.run("notify", "report", "show", "--json")
    off = terminal.run("notify", "report", "off", "daily")
    after = terminal.run("notify", "report", "show", "--json")

    assert "ありません" in none.out
    assert (on.code, "07:45（Asia/Tokyo）" in on.out) == (0, True), on.err
    assert (wrong.code, "25:00" in wrong.err) == (3, True)
    [row] = shown.data["reports"]
    assert (row["report"], row["at"], row["next"][11:16]) == ("daily", "07:45", "07:45")
    assert (off.code, after.data["reports"]) == (0, [])
