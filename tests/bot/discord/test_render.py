"""Whatever is in a message, Discord takes it, and nobody is called by it."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord import limits
from bot.discord.custom_ids import custom_id
from bot.discord.preview import preview
from bot.discord.render import MORE, Json, render
from bot.discord.text import cut, escape, split
from core.messages import (
    Button,
    Field,
    Line,
    Message,
    Option,
    Picture,
    Progress,
    Select,
)
from tests.fakes.discord.description import description

HOSTILE = "@everyone <@123> <@&9> [x](https://evil.example) **b** `c` ||s||\n# big\n> q\n- item"

words = st.one_of(
    st.text(st.characters(blacklist_categories=[]), max_size=200),
    st.sampled_from([HOSTILE, "あ" * 5_000, "\\" * 3_000, "*" * 4_500, "", "a\n" * 2_600]),
)
fields = st.lists(st.builds(Field, words, words), max_size=30).map(tuple)
messages = st.builds(
    Message,
    text=words,
    title=words,
    body=words,
    fields=fields,
    lines=st.lists(st.builds(Line, words, words, words), max_size=40).map(tuple),
    totals=fields,
    sections=fields,
    progress=st.lists(
        st.builds(Progress, words, st.sampled_from(["done", "running", "failed"])), max_size=40
    ).map(tuple),
    picture=st.one_of(st.none(), st.builds(Picture, st.just("0" * 64), words)),
    buttons=st.lists(
        st.builds(
            Button,
            st.sampled_from(["approve", "reject"]),
            words,
            st.uuids().map(str) | st.text(max_size=150),
            st.sampled_from(["default", "primary", "danger", "quiet"]),
        ),
        max_size=45,
    ).map(tuple),
    select=st.one_of(
        st.none(),
        st.builds(
            Select,
            st.just("answer"),
            words,
            st.just(""),
            st.lists(st.builds(Option, st.uuids().map(str), words), max_size=40).map(tuple),
        ),
    ),
    note=words,
)


def _every(parts: list[Json]) -> list[Json]:
    found = []
    for part in parts:
        found += [part, *_every(part.get("components") or [])]
    return found


@given(messages)
@settings(max_examples=60, deadline=None)
def test_discord_takes_it_whatever_is_in_it(message: Message) -> None:
    shown = render(message, 7, "preview.png" if message.picture else None)
    request = {"components": shown.components, "flags": 1 << 15}
    known = description()
    assert known is None or known.request("create_message", request) == []
    parts = _every(shown.components)
    assert len(parts) <= limits.V2_COMPONENTS
    texts = [part["content"] for part in parts if part["type"] == 10]
    assert sum(map(len, texts)) <= limits.V2_TEXT
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(ids) == len(set(ids))
    assert all(0 < len(more) <= limits.CONTENT for more in shown.more)
    assert len(shown.more) <= limits.PARTS


@given(words)
@settings(max_examples=100, deadline=None)
def test_what_a_person_typed_calls_nobody_and_links_nowhere(typed: str) -> None:
    shown = escape(typed)
    assert not re.search(r"(?<!\\)<[@#]", shown)
    assert "@everyone" not in shown
    assert "@here" not in shown
    assert not re.search(r"https?://", shown, re.IGNORECASE)
    assert not re.search(r"(?m)^(#|>|-) ", shown)


def test_only_our_own_links_stay_links() -> None:
    said = "https://miyabi.example/d/abc_1 and https://miyabi.example.evil.test/x"
    shown = escape(said, "https://miyabi.example")
    assert "https://miyabi.example/d/abc_1" in shown
    assert "https://miyabi.example.evil" not in shown


@given(st.text(max_size=3_000), st.integers(40, 500))
@settings(max_examples=60, deadline=None)
def test_parts_of_a_text_fit_and_lose_nothing(typed: str, most: int) -> None:
    plain = typed.replace("`", "")
    parts = split(plain, most)
    assert all(len(part) <= most for part in parts)
    assert "".join(parts).replace("\n", "") == plain.replace("\n", "")


def test_a_code_block_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {n}" for n in range(60))
    parts = split(f"before\n```python\n{code}\n```\nafter", 200)
    assert len(parts) > 2
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert all(len(part) <= 200 for part in parts)
    assert parts[1].startswith("```python\n")
    assert parts[-1].endswith("after")


def test_a_long_answer_goes_on_in_further_messages() -> None:
    said = "\n".join(f"{n}: {'あ' * 60}" for n in range(100))
    shown = render(Message(said))
    assert shown.more
    assert "99: " in shown.more[-1]


@given(st.text(max_size=300), st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_cut_keeps_to_its_length_and_never_ends_in_half_an_escape(typed: str, most: int) -> None:
    shown = cut(typed, most)
    assert len(shown) <= most
    end = shown.removesuffix("…")
    assert (len(end) - len(end.rstrip("\\"))) % 2 == 0


def test_what_is_wanted_rarely_is_in_a_menu_and_keeps_what_it_is_for() -> None:
    buttons = (Button("approve", "承認", "A"), Button("comment", "コメント", "B", "quiet"))
    parts = _every(render(Message("x", buttons=buttons)).components)
    [menu] = [part for part in parts if part["type"] == 3]
    assert menu["custom_id"] == MORE
    assert menu["options"] == [{"label": "コメント", "value": custom_id("comment", "B")}]


def test_a_preview_shows_what_was_typed_as_it_was_typed() -> None:
    shown = preview(Message("x", title=HOSTILE, note="<script>alert(1)</script>"))
    assert "<script>" not in shown.page
    assert "**b**" in shown.page
    assert "@everyone" not in shown.sent
