"""What is not declared can't be an event."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from audit.event import ENVELOPE, Actor, Event
from audit.registry import BRIEF, LONGEST, WHOLE, Declaration, Declared, NotDeclared, brief
from tests.audit.happening import Happening

ORGANISATION = uuid7()
_EXACT = 2**53 - 1

good = st.fixed_dictionaries(
    {
        "text": st.text(max_size=LONGEST),
        "whole": st.integers(-_EXACT, _EXACT),
        "flag": st.booleans(),
        "id": st.uuids().map(str),
        "sha256": st.binary(min_size=32, max_size=32).map(bytes.hex),
        "word": st.sampled_from(["warm", "cool"]),
        "perhaps": st.none() | st.integers(-_EXACT, _EXACT),
        "words": st.lists(st.text(max_size=20), max_size=3),
    },
    optional={"more": st.integers(-_EXACT, _EXACT)},
)
anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.text(min_size=LONGEST + 1, max_size=LONGEST + 5)
    | st.binary(max_size=3)
    | st.uuids()
    | st.lists(st.integers() | st.floats() | st.none(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def told(data: Any, revision: Any = 1, step: Any = "write") -> Event:
    return Event(ORGANISATION, uuid7(), Happening.RICH, data, Actor(), revision=revision, step=step)


def fits(name: str, value: object) -> bool:
    """The declaration of RICH, written down a second time."""
    if name in {"whole", "more"} or (name == "perhaps" and value is not None):
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT
    if name == "flag":
        return isinstance(value, bool)
    if name == "words":
        return isinstance(value, list) and all(fits("text", each) for each in value)
    if name == "perhaps":
        return True
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    return name == "text" or (name == "word" and value in {"warm", "cool"})


@given(good)
def test_what_is_as_declared_is_an_event(data: dict[str, object]) -> None:
    assert told(data).body()["data"] == data


@given(good, st.data())
def test_a_missing_field_is_refused(data: dict[str, object], choose: st.DataObject) -> None:
    name = choose.draw(st.sampled_from(sorted(data.keys() - {"more"})))
    del data[name]

    with pytest.raises(NotDeclared, match=f"has no {name}"):
        told(data)


@given(good, st.text(max_size=8), anything)
def test_a_field_that_is_not_declared_is_refused(
    data: dict[str, object], name: str, value: object
) -> None:
    assume(name not in Happening.RICH.declaration.must and name != "more")

    with pytest.raises(NotDeclared, match="knows no"):
        told({**data, name: value})


@given(good, st.data(), anything)
def test_a_value_of_another_type_is_refused(
    data: dict[str, object], choose: st.DataObject, value: object
) -> None:
    name = choose.draw(st.sampled_from(sorted({*data, "more"})))
    assume(not fits(name, value))

    with pytest.raises(NotDeclared, match=f": {name} is "):
        told({**data, name: value})


@given(good, st.data(), st.floats())
def test_a_float_is_refused_wherever_it_stands(
    data: dict[str, object], choose: st.DataObject, value: float
) -> None:
    name = choose.draw(st.sampled_from(sorted({*data, "more"})))

    with pytest.raises(NotDeclared):
        told({**data, name: value})
    with pytest.raises(NotDeclared):
        told({**data, "words": ["a", value]})


@pytest.mark.parametrize("tag", ["test:thing:happened", "test:thing:undone", "", None])
def test_a_tag_that_is_only_a_text_is_refused(tag: Any) -> None:
    with pytest.raises(NotDeclared, match="no declared kind"):
        Event(ORGANISATION, uuid7(), tag, {"n": 1})


@pytest.mark.parametrize(("revision", "step"), [(None, "write"), (1, None), (1.0, "write"), (1, 2)])
def test_the_envelope_names_revision_and_step_as_declared(revision: Any, step: Any) -> None:
    data = dict.fromkeys(Happening.RICH.declaration.must, "") | {
        "whole": 1,
        "flag": True,
        "id": str(uuid7()),
        "sha256": "0" * 64,
        "word": "warm",
        "perhaps": None,
        "words": [],
    }
    assert told(data).body()["step"] == "write"

    with pytest.raises(NotDeclared):
        told(data, revision, step)
    with pytest.raises(NotDeclared):
        Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": 1}, revision=1)


def test_what_becomes_of_an_event_later_is_checked_as_well() -> None:
    event = Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": 1})

    with pytest.raises(NotDeclared):
        replace(event, data={"n": 1.5})


def test_whoever_holds_the_data_can_not_change_the_event() -> None:
    data: dict[str, Any] = {"n": 1}
    event = Event(ORGANISATION, uuid7(), Happening.HAPPENED, data)
    data["n"] = 1.5

    assert event.body()["data"] == {"n": 1}


def test_a_kind_of_event_has_a_name_of_three_words() -> None:
    with pytest.raises(Exception, match="is not source:subject:action"):

        class Wrong(Declared):
            HAPPENED = "test:happened", Declaration("It happened.", "thing", {"n": WHOLE})


def test_the_envelope_is_what_is_said_of_it() -> None:
    event = Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": 1})

    assert set(event.body()) == set(ENVELOPE)


@given(st.text(max_size=3 * BRIEF))
def test_a_text_from_outside_is_cut_to_one_line_that_fits(text: str) -> None:
    short = brief(text)

    assert len(short) <= BRIEF <= LONGEST
    assert len(short.splitlines()) <= 1
    assert short[:-1] in " ".join(text.split())
