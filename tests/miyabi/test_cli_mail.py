"""Mails at the command line: taken in from files, listed, shown, tried anew and dropped."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from core.settings import Settings
from miyabi.embedded import embedded
from tests.miyabi.terminal import Terminal, open_terminal

REQUEST = """\
Return-Path: <tanaka@abc.example>
Authentication-Results: mx.miyabi.example; dmarc=pass header.from=abc.example
From: =?utf-8?B?55Sw5Lit?= <Tanaka@abc.example>
To: quote@miyabi.example
Subject: =?utf-8?B?5L6d6aC8?=
Message-ID: <{id}@abc.example>
Date: Thu, 26 Nov 2026 09:00:00 +0900
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

株式会社ABC商事 モニター5台 納期12/25

> 前回の見積です
--\x20
田中
"""


@pytest.fixture(scope="module")
def office() -> Iterator[tuple[Terminal, str]]:
    """A house with a mailbox for quotes, and somebody who may write to it."""
    with (
        open_terminal(running=False) as terminal,
        embedded(Settings(home=terminal.home), durable=False) as services,
    ):
        to = ("quote@miyabi.example", "--purpose", "quote")
        assert (
            terminal.run("mail", "box", "add", *to, "--authserv-id", "mx.miyabi.example").code == 0
        )
        who = ("mori", "森", "--roles", "requester", "--email", "tanaka@abc.example")
        assert terminal.run("people", "add", *who).code == 0
        yield terminal, services.owner_url


def _file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.eml"
    path.write_bytes(REQUEST.format(id=name).encode())
    return path


def _change(url: str, sql: str) -> None:
    async def change() -> None:
        database = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            await database.execute(sql)
        finally:
            await database.close()

    asyncio.run(change())


def test_a_mail_out_of_a_file_begins_one_task_however_often_it_is_given(
    office: tuple[Terminal, str], tmp_path: Path
) -> None:
    terminal, _ = office
    path = _file(tmp_path, "first")

    first = terminal.run("ingest", str(path), "--json")
    again = terminal.run("ingest", str(path), "--json")

    assert (first.code, again.code) == (0, 0)
    assert (first.data["verdict"], first.data["reason"]) == ("accepted", "begun")
    assert first.data["sender"] == {
        "address": "Tanaka@abc.example", "verified": True, "by": "dmarc"
    }  # fmt: skip
    assert first.data["text"] == "株式会社ABC商事 モニター5台 納期12/25"
    assert "前回の見積です" in first.data["quoted"]
    assert (again.data["verdict"], again.data["reason"]) == ("refused", "duplicate")
    assert again.data["task"] == first.data["task"] is not None


def test_of_a_folder_each_mail_is_told_on_a_line_and_the_log_has_all(
    office: tuple[Terminal, str], tmp_path: Path
) -> None:
    terminal, _ = office
    _file(tmp_path, "second")
    stranger = tmp_path / "stranger.eml"
    stranger.write_bytes(b"From: who@else.example\nSubject: hi\n\nhello\n")

    given = terminal.run("ingest", str(tmp_path), "--json")
    log = terminal.run("mail", "log", "--json", "--reason", "unknown_sender")
    missing = terminal.run("ingest", str(tmp_path / "nothing.eml"))
    nowhere = terminal.run("ingest", str(stranger), "--mailbox", "other@miyabi.example")

    told = [json.loads(line) for line in given.out.splitlines()]
    assert [(each["file"], each["verdict"]) for each in told] == [
        ("second.eml", "accepted"), ("stranger.eml", "refused")
    ]  # fmt: skip
    assert [each["sender"] for each in log.data["mails"]] == ["who@else.example"]
    assert (missing.code, nowhere.code) == (1, 3)
    assert "nothing.eml" in missing.err


def test_what_was_cut_of_a_mail_is_shown_and_one_in_quarantine_is_tried_anew_or_dropped(
    office: tuple[Terminal, str], tmp_path: Path
) -> None:
    terminal, url = office
    mail = terminal.run("ingest", str(_file(tmp_path, "third")), "--json").data["id"]
    shown = terminal.run("mail", "show", mail)
    # As one that no process could read: only whether it waits again is looked at here.
    _change(
        url, f"update mails set state = 'quarantined', reason = 'unreadable' where id = '{mail}'"
    )
    gone = terminal.run("mail", "quarantine", "retry", mail)
    _change(
        url,
        f"insert into mail_bytes select id, organisation_id, '' from mails where id = '{mail}'",
    )
    listed = terminal.run("mail", "quarantine", "list", "--json")
    again = terminal.run("mail", "quarantine", "retry", mail)
    waits = terminal.run("mail", "log", "--state", "received", "--json")
    twice = terminal.run("mail", "quarantine", "retry", mail)
    _change(url, f"update mails set state = 'quarantined' where id = '{mail}'")
    dropped = terminal.run("mail", "quarantine", "drop", mail)
    log = terminal.run("mail", "log", "--state", "dropped", "--json")

    assert "> 前回の見積です" in shown.out
    assert [each["id"] for each in listed.data["mails"]] == [mail]
    assert (gone.code, again.code, twice.code, dropped.code) == (3, 0, 3, 0)
    assert [each["id"] for each in waits.data["mails"]] == [mail]
    assert [each["id"] for each in log.data["mails"]] == [mail]
