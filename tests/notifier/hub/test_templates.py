"""Each topic's words are there in all languages, say the same there, and do with their facts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.words import LANGUAGES, Language
from notifier.hub import templates
from notifier.hub.rendering import Own, headline, render
from notifier.hub.told import Told
from notifier.hub.topics import TOPICS, topic_of

ID = UUID("0197a3f0-0000-7000-8000-000000000009")
AT = datetime(2026, 11, 27, 3, tzinfo=UTC)
SHIPPED = sorted(templates.shipped())


def told(topic: str, facts: Mapping[str, Any] | None = None, **more: Any) -> Told:
    given = topic_of(topic).sample if facts is None else facts
    return Told(ID, ID, topic, "normal", given, AT, **more)


def said(
    topic: str, facts: Mapping[str, Any], language: Language = "ja", own: Own | None = None
) -> str:
    rendered = render(told(topic, facts), language, "Asia/Tokyo", own or {})
    assert rendered.failed is None
    return rendered.message.text


@pytest.mark.parametrize("topic", SHIPPED)
def test_a_topics_words_say_the_same_in_every_language(topic: str) -> None:
    read = {language: templates.exactly(topic, language) for language in LANGUAGES}
    uses = {name: found and found.uses() for name, found in read.items()}

    assert None not in read.values(), f"{topic} is not there in every language"
    assert uses["en"] == uses["ja"], "keys or facts differ"
    assert uses["zh"] == uses["ja"], "keys or facts differ"


@pytest.mark.parametrize("topic", SHIPPED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_topics_words_do_with_its_sample_facts(topic: str, language: Language) -> None:
    known = [each for each in TOPICS if each.name in {topic, f"{topic}.*"}]
    assert known, f"{topic} has words, but nothing to try them with"

    rendered = render(told(topic, known[0].sample), language, "Asia/Tokyo")

    assert (rendered.failed, rendered.missing) == (None, False)
    assert rendered.message.language == language


def test_every_known_topic_with_facts_has_words() -> None:
    plain = {
        "community.*",
        "log.*",
        "task.*",
    }  # title and text are all that they have
    without = {
        each.name
        for each in TOPICS
        if each.sample and not {each.name, each.name.removesuffix(".*")} & templates.shipped()
    }

    assert without - plain == set()


def test_a_template_that_forgets_a_fact_in_one_language_would_be_found() -> None:
    ja = templates.read("title = 'x {{ who }}'\n[[fields]]\nlabel = 'a'\nvalue = '{{ b }}'")
    en = templates.read("title = 'x'\n[[fields]]\nlabel = 'a'\nvalue = '{{ b }}'")
    assert ja.uses() != en.uses()
    assert ja.uses() != templates.read("title = 'x {{ who }}'").uses()


def test_the_readers_language_and_zone_say_dates_amounts_and_names() -> None:
    own = {
        ("a", language): "title = '{{ on | date }} {{ at | moment }} {{ n | yen }} {{ n | number }}"
        ' {{ who | san }} {{ firm | sama }} {{ saved | minutes }} {{ usd | money("USD") }}\''
        for language in LANGUAGES
    }
    facts = {
        "on": "2026-11-27", "at": "2026-11-26T16:05:00+00:00", "n": 1234567,
        "firm": "大和商事", "saved": 255, "usd": 12.5, "who": ["佐藤", "田中"],
    }  # fmt: skip

    assert said("a", facts, "ja", own) == (
        "2026年11月27日(金) 2026年11月27日(金) 01:05 1,234,567円 1,234,567 佐藤 さん、田中 さん"
        " 大和商事 様 4 時間 15 分 $12.50"
    )
    assert said("a", facts, "en", own) == (
        "Fri, Nov 27, 2026 Fri, Nov 27, 2026 01:05 ¥1,234,567 1,234,567 佐藤, 田中 大和商事"
        " 4 hours 15 minutes $12.50"
    )
    assert said("a", facts, "zh", own).startswith("2026年11月27日周五 2026年11月27日周五 01:05 ")


def test_the_companys_words_come_before_ours_and_japanese_where_a_language_is_missing() -> None:
    ours = said("test", {"person": "佐藤"}, "en")
    own: dict[tuple[str, Language], str] = {("test", "ja"): "title = '自社'"}
    assert said("test", {"person": "佐藤"}, "ja", own) == "自社"
    assert said("test", {"person": "佐藤"}, "en", own) == ours

    missing = render(told("stock.low", {}), "zh", "Asia/Tokyo", {("stock", "ja"): "title = '在庫'"})
    assert (missing.message.text, missing.missing) == ("在庫", True)


def test_a_template_that_fails_says_its_facts_plainly_and_no_value_in_its_error() -> None:
    facts = {"host": "db-1", "api_token": "hunter2", "at": "hunter2", "title": "止まった"}
    for body, why in (
        ("{{ nobody }}", "body: nobody is missing"),
        ("{{ facts[api_token] }}", "body: something is missing"),
        ("{{ at | moment }}", "body: ValueError"),
        ("{{ host | yen }}", "body: ValueError"),
        ("{{ facts - 1 }}", "body: TypeError"),
    ):
        own: Own = {("stock", "ja"): f"title = 'x'\nbody = '{body}'"}
        rendered = render(told("stock", facts), "ja", "Asia/Tokyo", own)
        assert rendered.failed == why
        assert "db-1" in rendered.message.text
        assert "そのまま表示" in rendered.message.note
        assert "hunter2" not in str(rendered.failed)
        assert "api_token" not in rendered.message.text


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("title = ", "TOML"),
        ("body = 'x'", "title"),
        ("title = 'x'\nsubject = 'y'", "subject"),
        ("title = 'a {{ b'", "title"),
        ("title = '{{ b.upper() }}'", "title"),
        ("title = '{% set x = 1 %}'", "title"),
        ("title = '{{ x * 999999 }}'", "title"),
        ("title = '{{ x ** 9 }}'", "title"),
        ("title = '{{ \"%99999d\" % 1 }}'", "title"),
        ("title = '{{ x | center(999999) }}'", "title"),
        ("title = '{{ x is callable }}'", "title"),
        ("title = '{% include \"/etc/passwd\" %}'", "title"),
        ("title = '{% for a in x %}{% for b in x %}{% for c in x %}.{% endfor %}{% endfor %}"
         "{% endfor %}'", "title"),
        ("title = 'x'\n[[fields]]\nlabel = 'y'", "fields.0"),
        ("title = 'x'\n[[lines]]\neach = 'range(9)'\nname = 'y'", "lines.0.each"),
        ("title = 1", "title"),
        (f"title = '{'x' * 30_000}'", "TOML"),
    ],
)  # fmt: skip
def test_a_template_that_is_wrong_is_refused_with_the_place(source: str, where: str) -> None:
    with pytest.raises(Refused) as refused:
        templates.read(source)
    assert f"({where}" in refused.value.words.en


@pytest.mark.parametrize(
    "text", ["{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x.upper }}", "{{ facts.keys }}",
             "{{ _headline.__globals__ }}"],
)  # fmt: skip
def test_of_values_only_what_json_has_is_reached(text: str) -> None:
    own: Own = {("stock", "ja"): f'title = "{text}"'}
    rendered = render(told("stock", {"x": "y"}), "ja", "Asia/Tokyo", own)
    assert rendered.failed == "title: something is missing"


def test_what_a_text_becomes_has_an_end() -> None:
    own: Own = {("stock", "ja"): "title = 'x'\nbody = '{% for a in x %}{% for b in x %}{{ a }}"
                "{% endfor %}{% endfor %}'"}  # fmt: skip
    rendered = render(told("stock", {"x": ["long" * 10] * 1000}), "ja", "Asia/Tokyo", own)
    assert len(rendered.message.body) == 10_000


def test_a_topic_never_becomes_a_path() -> None:
    assert templates.exactly("../templates/test", "ja") is None
    assert render(told("../test", {"title": "x"}), "ja", "Asia/Tokyo").message.title == "x"


def test_a_digest_says_each_of_its_items_as_its_own_topic_does() -> None:
    facts = topic_of("digest").sample | {"left": 3, "total": 4}
    text = said("digest", facts)
    title = headline("task.failed", facts["items"][0]["facts"], "ja", "Asia/Tokyo")
    assert title in text
    assert "ほか3件" in text
    assert headline("alert.x", {"title": "T\nU", "text": ""}, "en", "UTC") == "Alert: T U"
    assert headline("nothing.known", {}, "en", "UTC") == "nothing.known"


def test_a_digest_says_what_is_over_by_now() -> None:
    [item] = topic_of("digest").sample["items"]
    over = topic_of("digest").sample | {"items": [item | {"resolved": True, "count": 12}]}
    assert "×12 [解決済み]" in said("digest", over)
    assert "[" not in said("digest", topic_of("digest").sample)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
    max_leaves=8,
)


@given(
    topic=st.sampled_from([*SHIPPED, "alert.disk", "stock.low"]),
    language=st.sampled_from(LANGUAGES),
    data=st.data(),
)
def test_whatever_the_facts_are_something_is_said(
    topic: str, language: Language, data: st.DataObject
) -> None:
    """Facts of the right names with whatever for a value, and others beside them."""
    sample = topic_of(topic).sample
    names = st.sampled_from([*sample, "title", "text", "facts", "notice", "_language", "item"])
    facts = data.draw(st.dictionaries(names, JSON, max_size=5))

    rendered = render(told(topic, {**sample, **facts}), language, "Asia/Tokyo")

    assert rendered.message.text.strip()
    assert "\n" not in rendered.message.title
