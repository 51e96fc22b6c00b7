"""Each topic that has words can be shown by each channel there is, in every language."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.errors import Refused
from core.words import LANGUAGES, Language
from miyabi.browser import browser, screenshot
from miyabi.plugins import all_channels, all_platforms
from miyabi.previews import page_of, ways
from notifier.hub import templates
from notifier.hub.rendering import render
from notifier.hub.topics import topic_of
from notifier.hub.trying import sample, try_on_all
from tests.fakes.line.messages_check import check_message

ID = UUID("0197a3f0-0000-7000-8000-000000000009")
AT = datetime(2026, 11, 27, 3, tzinfo=UTC)
HOSTILE = "<@U1> <script>alert(1)</script> **x** @everyone \u202e{{ 7*7 }}\x00\n| a | b |"


def shown(topic: str, channel: str, language: Language) -> str:
    told = sample(ID, topic, topic_of(topic).sample, AT)
    return ways()[channel](told, render(told, language, "Asia/Tokyo").message).sent


def test_every_channel_shows_a_notice_in_its_own_form() -> None:
    assert set(ways()) == {*all_platforms(), *all_channels()}

    slack = json.loads(shown("alert.disk", "slack", "en"))
    assert slack["blocks"][0]["text"]["text"] == "Alert: DiskFull"
    [line] = json.loads(shown("alert.disk", "line", "ja"))
    assert check_message(line) == []
    assert "DiskFull" in line["altText"]
    assert shown("alert.disk", "email", "zh").startswith("■ 告警：DiskFull")
    assert json.loads(shown("alert.disk", "webhook", "ja"))["type"] == "alert.disk"
    assert json.loads(shown("alert.disk", "teams", "ja"))["type"] == "message"
    assert "DiskFull" in shown("alert.disk", "apprise", "ja")


@pytest.mark.parametrize("topic", sorted(templates.shipped()))
def test_our_own_words_pass_what_a_companys_have_to_pass(topic: str) -> None:
    name = topic if topic_of(topic).sample else f"{topic}.disk"
    for language in LANGUAGES:
        source = templates.source_of(topic, language)
        assert source is not None
        told = sample(ID, name, topic_of(name).sample, AT)
        assert set(try_on_all(source, told, language, ways())) == set(ways())


def test_hostile_facts_reach_a_channel_only_as_it_escapes_them() -> None:
    facts = {"title": HOSTILE, "text": HOSTILE, "url": HOSTILE}
    told = sample(ID, "alert.disk", facts, AT)
    message = render(told, "en", "Asia/Tokyo").message
    sent = {name: show(told, message) for name, show in ways().items()}

    assert "<@U1>" not in sent["slack"].sent
    assert "&lt;@U1&gt;" in sent["slack"].sent
    assert "<script>alert" not in sent["email"].page
    assert "{{ 7*7 }}" in sent["email"].sent, "what a fact says is never read as a template"
    assert "\x00" not in sent["console"].sent
    assert "\x00" not in sent["email"].sent


def test_words_that_fail_with_sample_facts_are_refused_with_the_part() -> None:
    told = sample(ID, "stock.low", {"n": 3}, AT)
    with pytest.raises(Refused) as refused:
        try_on_all("title = 'x'\nbody = '{{ m }}'", told, "en", ways())
    assert "(body: m is missing)" in refused.value.words.en

    # only said of one that is over
    only = "title = 'x'\nbody = '{% if notice.resolved %}{{ m }}{% endif %}'"
    with pytest.raises(Refused):
        try_on_all(only, told, "en", ways())
    assert "console" in try_on_all("title = '{{ n }}'", told, "en", ways())


@pytest.mark.skipif(browser() is None, reason="no browser here")
def test_a_preview_can_be_drawn(tmp_path: object) -> None:
    from pathlib import Path

    target = Path(str(tmp_path)) / "x.png"
    told = sample(ID, "test", topic_of("test").sample, AT)
    preview = ways()["teams"](told, render(told, "ja", "Asia/Tokyo").message)
    assert screenshot(page_of(preview), target)
    assert target.read_bytes().startswith(b"\x89PNG")
