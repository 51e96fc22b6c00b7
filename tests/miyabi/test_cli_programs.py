"""Tokens and batches on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.miyabi.terminal import Terminal, open_terminal

LINES = """ABC商事 モニター5台 納期2036-12-25

見積 山川製作所 キーボード3個 納期2036-12-25
取消 #999999
"""


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A terminal with the sample company; its servers stay up for all tests here."""
    with open_terminal(running=True) as terminal:
        yield terminal


def test_a_token_is_printed_once_listed_and_revoked(terminal: Terminal) -> None:
    made = terminal.run("people", "token", "tanaka", "--label", "shop")
    (listed,) = terminal.run("people", "tokens", "--json").data["tokens"]
    shown = terminal.run("people", "tokens")
    revoked = terminal.run("people", "revoke", listed["token"])
    (after,) = terminal.run("people", "tokens", "--json").data["tokens"]
    unknown = terminal.run("people", "revoke", "00000000")

    token = made.out.strip()
    assert (made.code, token[:7], len(token)) == (0, "miyabi_", 50), made.err
    assert (listed["handle"], listed["label"], listed["revoked_at"]) == ("tanaka", "shop", None)
    assert token not in shown.out
    assert listed["token"] in shown.out
    assert revoked.code == 0
    assert after["revoked_at"] is not None
    assert unknown.code == 3
    assert terminal.run("people", "token", "nobody").code == 3


def test_a_batch_is_handed_in_line_by_line(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "requests.txt"
    file.write_text(LINES, "utf-8")
    done = terminal.run("ask", "--batch", str(file), "--json")
    waited = terminal.run("ask", "--batch", "-", "--wait", typed=LINES.splitlines()[0])
    nowhere = terminal.run("ask", "--batch", "/nowhere")

    told = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3, done.err
    assert [(each["line"], each["outcome"]) for each in told] == [
        (1, "taken"),
        (3, "taken"),
        (4, "refused"),
    ]
    assert "#999999" in told[2]["message"]
    shown = [terminal.run("show", each["task"], "--json").data for each in told[:2]]
    assert {each["lane"] for each in shown} == {"bulk"}
    assert waited.code == 0, waited.err
    assert "waiting" in waited.out
    assert nowhere.code == 3


def test_one_request_or_many_but_not_none(terminal: Terminal) -> None:
    assert terminal.run("ask").code == 2


def test_a_person_is_given_a_code_and_links_are_listed(terminal: Terminal) -> None:
    """What is behind them: tests/core/test_linking.py, tests/web/test_links.py."""
    code = terminal.run("people", "code", "tanaka")
    cut = terminal.run("people", "unlink", "tanaka", "slack:T9:U9")
    links = terminal.run("links", "list", "--json")
    group = terminal.run("line", "groups", "C-nowhere", "--amounts")

    digits = code.out.strip()
    assert (code.code, len(digits), digits.isdigit()) == (0, 8, True), code.err
    assert cut.code == 3
    assert (links.code, links.data["links"]) == (0, [])
    assert (group.code, "C-nowhere" in group.err) == (3, True)
