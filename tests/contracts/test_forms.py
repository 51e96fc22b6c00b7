"""What every kind of field keeps, on every platform that shows forms or takes them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.api.forms import read_values
from bot.api.models import FormGiven
from bot.slack.form_typed import block_errors, form_values, prefill, typed_in
from bot.slack.form_view import Sheet, form_view, most_rows
from core.agent import WiringError
from core.catalogue import Catalogue
from core.errors import Choice
from core.forms import (
    MISSING,
    NO_AMOUNT,
    NO_CHOICE,
    FormField,
    FormSpec,
    FormValues,
    LineEntry,
    typed_amount,
)
from core.inbound import Form
from core.money import yen
from core.reading.money import MOST_YEN
from core.wiring import check
from core.words import LANGUAGES, Words, same
from miyabi.plugins import all_agents
from tests.core.house import letter_agent
from tests.fakes.slack.blocks_check import check_view, view_too_large
from tests.fakes.slack.view_state import check_complete, first_values

TODAY = date(2026, 11, 25)
NOTHING_LISTED = Catalogue((), (), datetime.now(UTC))
_KINDS = (Choice("travel", Words(ja="交通費", en="Travel", zh="交通费")), Choice("meal", same("M")))
_SIMPLE = (
    FormField("on", "date", same("Date"), required=True),
    FormField("kind", "choice", same("Kind"), required=True, choices=_KINDS),
    FormField("amount", "amount", same("Amount"), required=True, hint=same("yen")),
    FormField("why", "text", same("Why")),
    FormField("note", "long_text", same("Note")),
    FormField("customer", "customer", same("Customer")),
)
ROWS = FormSpec(
    same("All"),
    (*_SIMPLE, FormField("lines", "rows", same("Lines"), required=True, rows=_SIMPLE)),
    lambda values, catalogue, today: {},
)
LINES = replace(ROWS, fields=(*_SIMPLE, FormField("lines", "lines", same("Lines"))))

_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="<!>&"),
    min_size=1,
    max_size=60,
).filter(str.strip)
_simple = st.fixed_dictionaries(
    {
        "on": st.dates(date(2000, 1, 1), date(2100, 1, 1)),
        "kind": st.sampled_from(["travel", "meal"]),
        "amount": st.integers(1, MOST_YEN),
        "why": _text,
        "note": _text | st.just(""),
        "customer": st.sampled_from(["", "C001"]),
    }
)
_rows = st.lists(_simple, min_size=1, max_size=4).map(tuple)
_lines = st.lists(st.builds(LineEntry, st.just("MON-27"), st.just("5")), min_size=1, max_size=4)
every_form = pytest.mark.parametrize(
    "spec", [ROWS, LINES, *(a.form for a in all_agents().values() if a.form)], ids=lambda s: s.title
)


def _as_shown(spec: FormSpec, values: FormValues) -> FormValues:
    """The values after they were put into Slack's form and sent without a change."""
    count, typed = prefill(spec, values, NOTHING_LISTED)
    sheet = Sheet("x", "ja", rows=tuple(range(count)))
    view = form_view(spec, sheet, typed)
    assert check_view(view, "modal") == []
    state = first_values(view["blocks"], {})
    check_complete(view["blocks"], state)
    return form_values(spec, sheet, typed_in({"state": {"values": state}}))[0]


@given(_simple, _rows)
@settings(max_examples=40)
def test_what_an_edit_fills_in_comes_back_the_same(values: FormValues, rows: FormValues) -> None:
    whole = {**values, "lines": rows}

    assert _as_shown(ROWS, whole) == whole
    assert ROWS.errors(whole, NOTHING_LISTED, TODAY) == {}


@given(_simple, _lines)
@settings(max_examples=10)
def test_lines_come_back_the_same(values: FormValues, lines: list[LineEntry]) -> None:
    whole = {**values, "lines": tuple(lines)}

    assert _as_shown(LINES, whole) == whole


@given(_simple, _rows)
@settings(max_examples=40)
def test_a_program_fills_in_the_same(values: FormValues, rows: tuple[FormValues, ...]) -> None:
    sent = TypeAdapter(dict[str, FormGiven]).validate_python(
        {**_spelled(values), "lines": [_spelled(row) for row in rows]}
    )

    assert read_values(ROWS, sent) == ({**values, "lines": rows}, {})


def _spelled(values: FormValues) -> dict[str, Any]:
    return {n: v.isoformat() if isinstance(v, date) else v for n, v in values.items()}


@every_form
def test_a_form_fits_slack_with_as_many_rows_as_it_may_have(spec: FormSpec) -> None:
    for language in LANGUAGES:
        for count in (1, max(1, most_rows(spec))):
            view = form_view(spec, Sheet("x", language, rows=tuple(range(count)), note="n"), {})
            assert check_view(view, "modal") == []
            assert not view_too_large(view)
            adds = [b for b in view["blocks"] if b.get("block_id") == "lines:add"]
            assert bool(adds) == (count < most_rows(spec))


def test_what_is_wrong_is_shown_beside_its_field() -> None:
    values: Mapping[str, object] = {
        "on": TODAY,
        "kind": "boat",
        "amount": "a lot",
        "lines": ({"on": TODAY, "kind": "meal", "amount": 5}, {"kind": "x", "amount": "0"}),
    }
    errors = ROWS.errors(values, NOTHING_LISTED, TODAY)

    assert errors == {
        "kind": NO_CHOICE,
        "amount": NO_AMOUNT,
        "lines:1:on": MISSING,
        "lines:1:kind": NO_CHOICE,
        "lines:1:amount": NO_AMOUNT,
    }
    sheet = Sheet("x", "en", rows=(2, 5))
    shown = block_errors(ROWS, sheet, values, (2, 5), errors, NOTHING_LISTED)
    blocks = {block["block_id"] for block in form_view(ROWS, sheet, {})["blocks"]}
    assert set(shown) == {"kind", "amount", "lines:5:on", "lines:5:kind", "lines:5:amount"}
    assert set(shown) <= blocks
    none = ROWS.errors({}, NOTHING_LISTED, TODAY)
    assert set(none) == {"on", "kind", "amount", "lines:0"}
    assert set(block_errors(ROWS, sheet, {}, (), none, NOTHING_LISTED)) <= blocks


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("x", "lines"),
        ([{"kind": 3}], "lines:0:kind"),
        ([{"on": "tomorrow"}], "lines:0:on"),
        ([{"amount": -1}], "lines:0:amount"),
        ([{"colour": "red"}], "lines:0:colour"),
    ],
)
def test_a_program_is_told_which_field_of_which_row(lines: Any, wrong: str) -> None:
    sent = TypeAdapter(dict[str, FormGiven]).validate_python({"lines": lines})

    assert set(read_values(ROWS, sent)[1]) == {wrong}


@given(st.integers(1, MOST_YEN))
def test_an_amount_is_read_as_it_is_shown(amount: int) -> None:
    for text in (str(amount), f"{amount:,}", *(yen(amount, language) for language in LANGUAGES)):
        assert typed_amount(text) == amount


@given(st.text(max_size=120))
def test_any_text_is_an_amount_or_stays_what_it_was(text: str) -> None:
    amount = typed_amount(text)

    assert amount == text.strip() or (isinstance(amount, int) and 0 < amount <= MOST_YEN)


def test_what_no_database_keeps_is_taken_out_of_rows_too() -> None:
    form = Form("x", {"lines": ({"why": "a\0b"},), "note": "\ud800c", "amount": 5})

    assert form.values == {"lines": ({"why": "ab"},), "note": "c", "amount": 5}


@pytest.mark.parametrize(
    "field",
    [
        FormField("a", "choice", same("a")),
        FormField("a", "rows", same("a")),
        FormField("a", "rows", same("a"), rows=(FormField("b", "lines", same("b")),)),
        FormField("a", "text", same("a"), choices=_KINDS),
    ],
)
def test_a_form_that_no_platform_could_show_stops_the_start(field: FormField) -> None:
    form = replace(ROWS, fields=(field,))

    with pytest.raises(WiringError):
        check(replace(letter_agent, form=form), set())
    with pytest.raises(WiringError, match="one field with rows"):
        check(replace(letter_agent, form=replace(ROWS, fields=(*ROWS.fields, *LINES.fields))), {})
