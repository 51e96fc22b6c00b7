"""A company's own words can take neither much time nor much memory, whatever the facts are."""

from typing import Any

import pytest

from notifier.hub.rendering import render
from notifier.hub.sandbox import Expression, Text, TooMuch, Wrong
from tests.notifier.hub.test_templates import told

FACTS: dict[str, Any] = {"t": "a" * 9000, "l": [0] * 5000, "_language": "en", "_zone": "UTC"}

_LONG = " ~ ".join(["t"] * 50)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}",
        "{% for a in l %}{% for b in l if false %}x{% endfor %}{% endfor %}",
        "{% for a in [" + _LONG + "] %}{% for b in [a ~ a ~ a ~ a] %}{% endfor %}{% endfor %}",
        "{{ " + _LONG + " }}",
        "{{ t + t }}",
        "{% for a in [l + l + l] %}{% endfor %}",
        "{{ l | join(t) }}",
        "{% for a in [1, 2, 3, 4, 5] %}{{ l | listed | first }}{% endfor %}",
    ],
)
def test_a_text_that_makes_much_out_of_little_is_broken_off(source: str) -> None:
    with pytest.raises(TooMuch):
        Text(source).said(FACTS)


def test_all_texts_of_a_message_are_paid_for_together() -> None:
    """And who is told reads the facts instead."""
    row = "[[fields]]\nlabel = 'x'\nvalue = '{% for a in l %}{% endfor %}'\n"
    facts = {"title": "disk", "l": [0] * 1500}
    cheap, dear = (f"title = 'x'\n{row * times}" for times in (1, 2))
    made = [
        render(told("alert.disk", facts), "en", "UTC", {("alert.disk", "en"): own})
        for own in (cheap, dear)
    ]

    assert [each.failed for each in made] == [None, "fields.1.value: TooMuch"]
    assert "disk" in made[1].message.text


def test_what_is_put_together_reads_as_before() -> None:
    values = {**FACTS, "l": [1, "b", None], "n": 3}
    read = "{{ n ~ '-' ~ 'x' }} {{ l | join('/') }} {{ 1 + n }} {{ 'a' + 'b' }}"
    turns = "{% for a in l %}{{ loop.index }}of{{ loop.length }} {% endfor %}"

    assert Text(read).said(values) == "3-x 1/b/None 4 ab"
    assert Text(turns).said(values) == "1of3 2of3 3of3"
    assert Expression("l").of(values) == values["l"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{% if 1 %}" * 500 + "{% endif %}" * 500,
        "{{ l | _each }}",
    ],
)
def test_what_can_not_be_read_is_said_and_breaks_nothing(source: str) -> None:
    with pytest.raises(Wrong):
        Text(source)


@pytest.mark.parametrize("source", ["l }}{{ l", "l }} x", "", "l l"])
def test_a_value_is_one_value(source: str) -> None:
    with pytest.raises(Wrong):
        Expression(source)
