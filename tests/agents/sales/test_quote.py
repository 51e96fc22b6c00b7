"""The quote agent, step by step: what it reads, what it asks for, what it makes of the answers."""

import asyncio
import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.sales.quote import (
    QuoteAsk,
    answer,
    attach,
    begin,
    check_form,
    edit,
    facts,
    issue,
    lay_out,
    price,
    read,
    summarise,
)
from connectors.csv_files import open_files
from core.agent import Attached, Numbered, TaskInfo
from core.catalogue import Catalogue
from core.company import Company
from core.errors import NeedsInput, Question
from core.file_kinds import any_kind_of
from core.forms import LineEntry
from core.order import Order, OrderLine
from core.quotation import Quote
from tests.core.workbooks import workbook

TODAY = date(2026, 11, 25)
COMPANY = Company("株式会社みやび商事", registration_number="T7000012050002")
TASK = TaskInfo(1042, 1, "ja", "田中", TODAY)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The sample company's price list and customers."""
    return asyncio.run(open_files({}).read())


class Store:
    """The store of documents, in memory: the same two calls."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, content: bytes, media_type: str) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    async def get(self, sha256: str) -> bytes:
        return self.kept[sha256]


FILES: Any = Store()
"""For what comes without any."""


async def question_of(ask: QuoteAsk, catalogue: Catalogue) -> Question:
    with pytest.raises(NeedsInput) as raised:
        await read(ask, catalogue, FILES)
    return raised.value.question


async def settle(text: str, catalogue: Catalogue, *answers: str) -> Order:
    """Answer each question in turn, as a person would."""
    ask = begin(text, None, TODAY)
    for said in answers:
        asked = await question_of(ask, catalogue)
        ask = answer(ask, asked.key, said)
    return await read(ask, catalogue, FILES)


async def test_what_is_complete_is_not_asked_about(catalogue: Catalogue) -> None:
    order = await settle("株式会社ABC商事 モニター5台 キーボード10個 納期12/25", catalogue)

    assert order == Order(
        "C001", (OrderLine("MON-27", 5), OrderLine("KB-JP", 10)), date(2026, 12, 25)
    )


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("モニター3台の見積", ["山川製作所"], ("C002", [("MON-27", 3)])),
        ("モニター3台の見積", ["C003"], ("C003", [("MON-27", 3)])),
        ("モニター3台の見積", ["誰か", "山川"], ("C002", [("MON-27", 3)])),
        (
            "ABC商事の見積つくって",
            ["モニター2台とマウス3個"],
            ("C001", [("MON-27", 2), ("MS-W", 3)]),
        ),
        ("ABC商事の見積つくって", ["モニター", "4台"], ("C001", [("MON-27", 4)])),
        ("ABC商事の見積つくって", ["よろしく", "水 3箱"], ("C001", [("WATER", 3)])),
        ("見積もりお願いします！", ["ABC", "お茶2ケース"], ("C001", [("TEA", 2)])),
        ("ABC商事 モニター", ["五台"], ("C001", [("MON-27", 5)])),
        ("ABC商事 モニター", ["0", "たくさん", "12"], ("C001", [("MON-27", 12)])),
        ("ノートPCを3台、ABCさんへ見積もりください", ["PC-16"], ("C001", [("PC-16", 3)])),
        (
            "ノートPCを3台、ABCさんへ見積もりください",
            ["14型ノートパソコン"],
            ("C001", [("PC-14", 3)]),
        ),
        ("ABC商事 タイムマシン2台", ["デスク"], ("C001", [("DESK", 2)])),
        ("ABC商事 タイムマシン2台 マウス1個", ["-"], ("C001", [("MS-W", 1)])),
        ("ABC商事 タイムマシン2台", ["-", "マウス1個"], ("C001", [("MS-W", 1)])),
        ("未知商店 モニター2台", ["みなと企画"], ("C003", [("MON-27", 2)])),
        ("ABC商事 モニター-3台", ["3"], ("C001", [("MON-27", 3)])),
        ("ABC商事 モニター0台", ["モニター6台"], ("C001", [("MON-27", 6)])),
        ("ABC商事 モニター0台 マウス2個", ["-"], ("C001", [("MS-W", 2)])),
    ],
)
async def test_what_is_open_is_asked_and_the_answers_complete_it(
    catalogue: Catalogue,
    text: str,
    answers: list[str],
    expected: tuple[str, list[tuple[str, int]]],
) -> None:
    order = await settle(text, catalogue, *answers)

    assert (order.customer, [(line.code, line.quantity) for line in order.lines]) == expected


async def test_an_answer_that_means_nothing_is_said_back(catalogue: Catalogue) -> None:
    ask = answer(begin("ABC商事 モニター", None, TODAY), "quantity:MON-27", "たくさん")

    asked = await question_of(ask, catalogue)

    assert "たくさん" in asked.prompt.ja


async def test_a_near_name_is_offered_and_never_taken_by_itself(catalogue: Catalogue) -> None:
    asked = await question_of(begin("ABC商事 モニタ27型ー2台", None, TODAY), catalogue)

    assert asked.choices
    assert asked.choices[0].value == "MON-27"


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
async def test_no_text_and_no_answer_breaks_it(text: str, answers: list[str]) -> None:
    catalogue = await open_files({}).read()
    ask = begin(text, None, TODAY)
    for said in answers:
        try:
            await read(ask, catalogue, FILES)
        except NeedsInput as needs:
            ask = answer(ask, needs.question.key, said)


async def test_the_issued_document_is_the_draft_with_number_and_date(catalogue: Catalogue) -> None:
    files = Store()
    order = await settle("ABC商事 モニター5台", catalogue)
    quote = await price(order, catalogue, COMPANY)

    draft = await lay_out(quote, COMPANY, files, TASK)  # type: ignore[arg-type]
    again = await lay_out(quote, COMPANY, files, TASK)  # type: ignore[arg-type]
    issued = await issue(quote, COMPANY, files, TASK, Numbered("Q-2026-0001", TODAY))  # type: ignore[arg-type]

    assert draft == again
    assert draft.sha256 != issued.sha256
    assert issued.name == "見積書_Q-2026-0001_株式会社ABC商事.pdf"
    assert files.kept[issued.sha256].startswith(b"%PDF")
    assert files.kept[issued.preview_sha256 or ""].startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "x" * 300, "改行\n会社", ""])
async def test_no_customer_name_makes_a_dangerous_file_name(
    catalogue: Catalogue, name: str
) -> None:
    from dataclasses import replace

    files = Store()
    quote = await price(await settle("ABC商事 モニター5台", catalogue), catalogue, COMPANY)
    odd = replace(quote, customer=replace(quote.customer, name=name))

    issued = await issue(odd, COMPANY, files, TASK, Numbered("Q-2026-0001", TODAY))  # type: ignore[arg-type]

    assert Path(issued.name).name == issued.name
    assert len(issued.name.encode()) < 255
    assert issued.name.endswith(".pdf")


def values(**changes: object) -> dict[str, object]:
    return {
        "customer": "C001",
        "lines": (LineEntry("MON-27", "5"),),
        "due": date(2026, 12, 25),
        "discount": "10%",
        "note": "",
        **changes,
    }


async def test_a_form_is_an_order(catalogue: Catalogue) -> None:
    assert check_form(values(), catalogue, TODAY) == {}

    order = await read(begin("", values(), TODAY), catalogue, FILES)

    assert order == Order(
        "C001", (OrderLine("MON-27", 5),), date(2026, 12, 25), Decimal(10), None, ""
    )


async def test_what_the_form_is_filled_with_for_a_change_is_what_it_was(
    catalogue: Catalogue,
) -> None:
    for discount in ("10%", "15000円", ""):
        order = await read(begin("", values(discount=discount), TODAY), catalogue, FILES)
        again = await read(begin("", edit({Order: order}), TODAY), catalogue, FILES)
        assert again == order


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"customer": ""}, {"customer"}),
        ({"customer": "C999"}, {"customer"}),
        ({"lines": ()}, {"lines:0"}),
        ({"lines": (LineEntry("MON-27", "0"), LineEntry("KB-JP", "2"))}, {"lines:0"}),
        ({"lines": (LineEntry("MON-27", "2"), LineEntry("", "2"))}, {"lines:1"}),
        ({"lines": (LineEntry("NO", "2"),)}, {"lines:0"}),
        ({"lines": (LineEntry("MON-27", "1.5"),)}, {"lines:0"}),
        ({"due": date(2026, 11, 24)}, {"due"}),
        ({"discount": "たくさん"}, {"discount"}),
        ({"discount": "120%"}, {"discount"}),
    ],
)
async def test_a_wrong_field_is_named(
    catalogue: Catalogue, changes: dict[str, object], fields: set[str]
) -> None:
    assert set(check_form(values(**changes), catalogue, TODAY)) == fields


async def test_the_summary_shows_lines_totals_and_the_reduced_rate(catalogue: Catalogue) -> None:
    order = await settle("ABC商事 コピー用紙12箱 お茶3ケース", catalogue)
    quote = await price(order, catalogue, COMPANY)

    shown = summarise({QuoteAsk: begin("", None, TODAY), Order: order, Quote: quote}, "ja")

    assert [line.amount for line in shown.lines] == ["28,560円", "6,480円"]
    assert shown.lines[1].name.endswith("※")
    assert shown.totals[-1].value == "38,414円"
    assert "軽減税率" in shown.note


async def test_the_facts_say_what_is_open(catalogue: Catalogue) -> None:
    given_ = facts({QuoteAsk: begin("ABC商事 タイムマシン2台", None, TODAY)}, catalogue)

    assert given_["unknown"] == ["タイムマシン"]
    assert given_["customer"] == "C001"
    assert given_["total"] is None


# Lists that come with it


async def enclosed(store: Store, *files: tuple[str, bytes]) -> tuple[Attached, ...]:
    """The files, as they are kept."""
    kept = []
    for name, content in files:
        kind = any_kind_of(content)
        assert kind is not None
        kept.append(Attached(await store.put(content, kind), name, kind, len(content)))
    return tuple(kept)


LISTED = workbook([["コード", "数量"], ["mon-27", 5], ["ワイヤレスマウス", "１０個"], ["合計", 15]])
WRONG = "code,qty\nMON-27,5\nMON-72,1\nKB-JP,1.5\nMS-W,\n".encode("cp932")


async def test_a_list_is_what_is_wanted_and_other_files_are_only_kept(catalogue: Catalogue) -> None:
    store: Any = Store()
    files = await enclosed(
        store, ("図面.pdf", b"%PDF-1.7"), ("明細.xlsx", LISTED), ("a.txt", b"hi")
    )
    ask = attach(begin("ABC商事 添付リスト2点 初期設定作業1式", None, TODAY), files)

    order = await read(ask, catalogue, store)

    assert order.customer == "C001"
    assert order.lines == (
        OrderLine("SETUP", 1), OrderLine("MON-27", 5), OrderLine("MS-W", 10),
    )  # fmt: skip


async def test_what_is_wrong_in_a_list_is_told_by_row_and_can_be_mended_or_left_out(
    catalogue: Catalogue,
) -> None:
    store: Any = Store()
    files = await enclosed(store, ("明細.csv", WRONG))
    ask = attach(begin("ABC商事 添付のとおり", None, TODAY), files)
    with pytest.raises(NeedsInput) as raised:
        await read(ask, catalogue, store)
    asked = raised.value.question
    told = asked.prompt.ja.splitlines()

    assert "明細.csv" in told[0]
    assert [line.split(":")[0] for line in told[1:]] == ["3行目", "4行目", "5行目"]
    assert "MON-27 のこと" in told[1]
    assert "1.5" in told[2]
    without = await read(answer(ask, asked.key, asked.choices[0].value), catalogue, store)
    assert without.lines == (OrderLine("MON-27", 5),)
    mended = attach(ask, files + await enclosed(store, ("直し.xlsx", LISTED)))
    assert len((await read(mended, catalogue, store)).lines) == 2


async def test_of_several_lists_somebody_says_which(catalogue: Catalogue) -> None:
    store: Any = Store()
    one, two = b"code,qty\nMON-27,5\n", b"code,qty\nMON-27,6\n"
    files = await enclosed(store, ("1.csv", one), ("2.csv", two))
    ask = attach(begin("ABC商事 添付のとおり", None, TODAY), files)
    with pytest.raises(NeedsInput) as raised:
        await read(ask, catalogue, store)
    asked = raised.value.question

    together, second, _ = [choice.value for choice in asked.choices]
    for said, quantity in ((together, 11), (second, 6), ("1.csv", 5)):
        order = await read(answer(ask, asked.key, said), catalogue, store)
        assert order.lines == (OrderLine("MON-27", quantity),)
    again = attach(ask, await enclosed(store, ("1.csv", one), ("1.csv", two)))
    assert (await read(again, catalogue, store)).lines == (OrderLine("MON-27", 6),)


async def test_a_table_that_is_no_list_is_named_where_nothing_else_is_wanted(
    catalogue: Catalogue,
) -> None:
    store: Any = Store()
    files = await enclosed(store, ("住所.csv", "名前,住所\n山川,東京\n".encode()))
    with pytest.raises(NeedsInput) as raised:
        await read(attach(begin("ABC商事 見積", None, TODAY), files), catalogue, store)
    assert "住所.csv" in raised.value.question.prompt.ja
