"""Registration numbers of qualified invoice issuers."""

import pytest

from core.errors import Refused
from core.registration import is_registration_number, registration_number


@pytest.mark.parametrize("number", ["T7000012050002", "T8700110005901"])
def test_valid_number_is_taken_as_it_is(number: str) -> None:
    assert registration_number(number) == number


@pytest.mark.parametrize(
    "typed",
    [
        "Ｔ７００００１２０５０００２",
        "t7000012050002",
        " T 7000-0120-5000-2 ",
        "T7-0000-1205-0002",
        "Ｔ－７０００－０１２０－５０００－２",
        "T\u30007000012050002",
    ],
)
def test_number_is_read_however_it_is_typed(typed: str) -> None:
    assert registration_number(typed) == "T7000012050002"


@pytest.mark.parametrize(
    "wrong",
    [
        "T7000012050003",  # check digit
        "T1700110005901",  # check digit
        "T0000012050002",  # the check digit is never 0
        "7000012050002",  # no T
        "TT7000012050002",
        "T700001205000",
        "T70000120500022",
        "T700001205000②a",
        "T٧٠٠٠٠١٢٠٥٠٠٠٢",  # digits, but not ours
        "",
        "T",
    ],
)
def test_wrong_number_is_refused(wrong: str) -> None:
    with pytest.raises(Refused):
        registration_number(wrong)

    assert not is_registration_number(wrong)


def test_each_single_wrong_digit_is_noticed() -> None:
    """All but 0 for 9: the check digit counts modulo 9, so it can't tell those apart."""
    right = "T7000012050002"
    slips = [
        right[:place] + digit + right[place + 1 :]
        for place in range(1, 14)
        for digit in "0123456789"
        if digit != right[place] and {digit, right[place]} != {"0", "9"}
    ]

    assert [slip for slip in slips if is_registration_number(slip)] == []


def test_refusal_names_the_number_as_typed() -> None:
    with pytest.raises(Refused) as refused:
        registration_number("T7000012050003")

    assert "T7000012050003" in refused.value.words.ja
