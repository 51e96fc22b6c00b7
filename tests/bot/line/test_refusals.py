"""What LINE's answers mean, and that no answer whatever is more than it says."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.line.refusals import (
    Delivered,
    LineRefused,
    MonthSpent,
    NobodyThere,
    TokenSpent,
    WrongToken,
    meaning,
)
from core.errors import SlowDown, TryLater

BY_ANSWER = [
    (400, "Invalid reply token", TokenSpent),
    (400, "Failed to send messages", NobodyThere),
    (400, "The property, 'to', in the request body is invalid (line: -, column: -)", NobodyThere),
    (400, "The request body has 2 error(s)", LineRefused),
    (401, "Authentication failed due to the following reason: invalid token.", WrongToken),
    (403, "Access to this API is not available for your account", LineRefused),
    (409, "The retry key is already accepted", Delivered),
    (429, "You have reached your monthly limit.", MonthSpent),
    (429, "The API rate limit has been exceeded. Try again later.", SlowDown),
    (500, "Internal server error", TryLater),
]


@pytest.mark.parametrize(("status", "message", "means"), BY_ANSWER)
def test_lines_answers_are_told_apart(status: int, message: str, means: type) -> None:
    assert type(meaning(status, json.dumps({"message": message}), {})) is means


def test_what_is_told_beside_is_kept() -> None:
    later = meaning(429, '{"message": "rate limit"}', {"Retry-After": "7"})
    assert isinstance(later, TryLater)
    assert later.after == timedelta(seconds=7)

    body = {"message": "-", "sentMessages": [{"id": "1", "quoteToken": "q"}, {"id": "2"}]}
    done = meaning(409, json.dumps(body), {"x-line-accepted-request-id": "r"})
    assert isinstance(done, Delivered)
    assert (list(done.ids), done.request) == (["1", "2"], "r")

    details = [{"message": "May not be empty", "property": "messages[0].text"}]
    refused = meaning(400, json.dumps({"message": "wrong", "details": details}), {})
    assert isinstance(refused, LineRefused)
    assert refused.why == "wrong; messages[0].text: May not be empty"


@settings(max_examples=50, deadline=None)
@given(
    st.integers(400, 599),
    st.one_of(
        st.none(),
        st.text(max_size=30),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["message", "details", "sentMessages", "id", "error"]), inner
                )
            ),
            max_leaves=8,
        ).map(json.dumps),
    ),
)
def test_whatever_is_answered_means_something(status: int, body: str | None) -> None:
    found = meaning(status, body, {})
    assert isinstance(found, LineRefused | TryLater | Delivered)
