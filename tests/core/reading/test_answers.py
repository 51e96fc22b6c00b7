"""Answers given later in the chat, and lists that narrow as one types."""

import pytest

from core.catalogue import Catalogue
from core.order import Open, OrderLine
from core.reading.order import (
    match_items,
    read_customer,
    read_items,
    read_quantity,
    search_customers,
    search_items,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("5台", 5),
        ("五", 5),
        ("五台です", 5),
        ("１ダース", 12),
        ("2 dozen", 24),
        ("a dozen", 12),
        ("ten", 10),
        ("1,000", 1000),
        ("x3", 3),
        ("三つ", 3),
        ("两个", 2),
        ("12ヶ月", 12),
        ("0", None),
        ("-3", None),
        ("1.5", None),
        ("五つか六つ", None),
        ("5〜10台", None),
        ("たくさん", None),
        ("", None),
        ("999999999999999", None),
    ],
)
def test_a_quantity_is_a_whole_number_above_zero(text: str, value: int | None) -> None:
    assert value == read_quantity(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ABC商事です", "C001"),
        ("株式会社ＡＢＣ商事", "C001"),
        ("㈱ABC商事さん", "C001"),
        ("ABC商事株式会社御中", "C001"),
        ("高崎組", "C006"),
        ("髙崎組", "C006"),
        ("northwind trading", "C004"),
        ("海星贸易", "C005"),
        ("C002", "C002"),
    ],
)
def test_a_customer_is_known_by_any_of_its_names(
    text: str, code: str, catalogue: Catalogue
) -> None:
    assert code == read_customer(text, catalogue)


def test_a_customer_that_is_only_like_one_is_offered_and_not_taken(catalogue: Catalogue) -> None:
    assert Open("ABD商事", ("C001",)) == read_customer("ABD商事", catalogue)


def test_lines_are_read_where_all_of_them_are_settled(catalogue: Catalogue) -> None:
    assert (OrderLine("MON-27", 5), OrderLine("MS-W", 2)) == read_items(
        "モニター5台とマウス2個", catalogue
    )
    assert read_items("モニター5台とタイムマシン2台", catalogue) == ()
    assert read_items("モニター", catalogue) == ()


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("モニター", ("MON-27",)),
        ("27インチモニター", ("MON-27",)),
        ("MON-27", ("MON-27",)),
        ("ノートPC", ("PC-14", "PC-16")),
        ("laptop", ("PC-14", "PC-16")),
        ("キーボド", ()),
        ("タイムマシン", ()),
    ],
)
def test_words_match_the_items_they_name_and_no_others(
    words: str, codes: tuple[str, ...], catalogue: Catalogue
) -> None:
    assert codes == match_items(words, catalogue)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("モニ", "MON-27"),
        ("もにた", "MON-27"),
        ("key", "KB-JP"),
        ("キーボド", "KB-JP"),
        ("mon-2", "MON-27"),
        ("机", "DESK"),
        ("16", "PC-16"),
    ],
)
def test_items_are_found_as_one_types(query: str, first: str, catalogue: Catalogue) -> None:
    assert first == search_items(query, catalogue, 5)[0].code


@pytest.mark.parametrize(
    ("query", "first"), [("abc", "C001"), ("やまかわ", None), ("北", None), ("north", "C004")]
)
def test_customers_are_found_as_one_types(
    query: str, first: str | None, catalogue: Catalogue
) -> None:
    found = search_customers(query, catalogue, 5)

    assert first == (found[0].code if found else None)


def test_an_empty_query_lists_from_the_top(catalogue: Catalogue) -> None:
    assert catalogue.items[:3] == search_items("", catalogue, 3)
    assert catalogue.customers[:3] == search_customers(" ", catalogue, 3)
