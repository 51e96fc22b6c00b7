"""What our mails are called, and the addresses that belong to one of them, nobody else can make."""

import base64
import os
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.cipher import derived
from bot.email import ids, tokens, verp
from bot.email.boxes import Box
from core.ids import new_id


def _house() -> Any:
    return SimpleNamespace(key_of=partial(derived, os.urandom(32)))


HOUSE, OTHERS = _house(), _house()
BOX = Box(new_id(), new_id(), "acme", "quote@miyabi.example")


def test_a_message_id_tells_its_letter_in_any_case_and_only_to_us() -> None:
    letter = new_id()
    made = ids.message_id_of(HOUSE, BOX, letter)
    assert made.endswith("@miyabi.example>")
    for spelt in (made, made.strip("<>"), made.upper(), f" {made}\r\n"):
        assert ids.letter_of(HOUSE, spelt) == letter
    assert ids.letter_of(OTHERS, made) is None
    # Another letter's MAC, and one that was changed at its end.
    other = ids.message_id_of(HOUSE, BOX, new_id())
    mixed = made.partition(".")[0] + "." + other.partition(".")[2]
    assert ids.letter_of(HOUSE, mixed) is None
    bare, _, domain = made.strip("<>").partition("@")
    for last in "abcdefghijklmnopqrstuvwxyz234567":
        changed = bare[:-1] + last
        assert ids.letter_of(HOUSE, f"{changed}@{domain}") == (letter if changed == bare else None)


def test_a_return_path_tells_its_letter_of_that_mailbox_alone() -> None:
    letter = new_id()
    path = verp.return_path(HOUSE, BOX, letter)
    assert path.startswith("quote+b-")
    assert len(path.partition("@")[0]) <= 64
    assert verp.read(HOUSE, BOX, path.upper()) == letter
    assert verp.read(OTHERS, BOX, path) is None
    elsewhere = Box(new_id(), new_id(), "acme", "quote@other.example")
    assert verp.read(HOUSE, elsewhere, path) is None
    long = Box(new_id(), new_id(), "acme", f"{'q' * 40}@miyabi.example")
    assert verp.return_path(HOUSE, long, letter) == long.address
    no_tags = Box(new_id(), new_id(), "acme", "quote@miyabi.example", plus=False)
    assert verp.return_path(HOUSE, no_tags, letter) == no_tags.address


@given(st.text(max_size=120))
@settings(max_examples=50)
def test_whatever_comes_is_read_without_an_error(text: str) -> None:
    assert ids.letter_of(HOUSE, text) is None
    assert ids.letter_of(HOUSE, f"<{text}@miyabi.example>") is None
    assert verp.read(HOUSE, BOX, f"quote+{text}@miyabi.example") is None
    token = base64.b32encode(text.encode()[:16].ljust(16)).decode().rstrip("=").lower()
    assert tokens.token_in(BOX, f"quote+{token}@miyabi.example") == token
    assert tokens.token_in(BOX, f"sales+{token}@miyabi.example") is None


@pytest.mark.parametrize("text", ["", "<>", "<@>", "a.b@c", "<.@x>", "quote@miyabi.example"])
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert ids.letter_of(HOUSE, text) is None
    assert verp.read(HOUSE, BOX, text) is None
    assert tokens.token_in(BOX, text) is None
