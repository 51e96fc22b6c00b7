"""A general request from its words to its number: read, asked about, laid out, decided."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from agents.general.ringi import (
    Ringi,
    RingiAsk,
    agent,
    answer,
    attach,
    begin,
    edit,
    facts,
    issue,
    lay_out,
    read,
)
from core.agent import Attached, Numbered, TaskInfo
from core.approvals.freezing import Asked, NamedRoute, freeze_route
from core.approvals.route_file import read_routes
from core.catalogue import Catalogue
from core.company import Company
from core.errors import NeedsInput
from core.file_kinds import PDF
from core.inbound import SentFile
from core.reading.proposal import LONGEST_TITLE, read_proposal
from core.words import Language
from tests.core.approvals.charts import NOON, person
from tests.core.approvals.charts import Company as Staffed
from tests.core.house import Office

TODAY = date(2026, 11, 25)
TASK = TaskInfo(1042, 1, "ja", "田中 太郎", TODAY)
COMPANY = Company("株式会社みやび商事")
FILE = Attached("a" * 64, "見積書.pdf", PDF, 12_345)
TRICKY = "#panic(1) *b* $x^2$ `c` @ref <!channel> \\u{41} =HYPERLINK(1) // [q]"


class Store:
    """The store of documents, in memory: the same two calls."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, content: bytes, media_type: str) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256


async def settled(text: str, *answers: str) -> Ringi:
    """Answer each question in turn, as a person would."""
    ask = begin(text, None, TODAY)
    for said in answers:
        with pytest.raises(NeedsInput) as raised:
            await read(ask)
        ask = answer(ask, raised.value.question.key, said)
    return await read(ask)


@pytest.mark.parametrize(
    ("text", "title", "body", "amount"),
    [
        ("複合機の入替 金額 85,000円 リース満了のため", "複合機の入替", "リース満了のため", 85_000),
        ("複合機の入替　８５万円　リース満了の為。", "複合機の入替", "リース満了の為。", 850_000),
        ("件名：PC購入\n理由：老朽化\n金額：1.5万円", "PC購入", "老朽化", 15_000),
        ("New copier, amount: 850,000 yen, the lease is over", "New copier",
         "the lease is over", 850_000),
        ("更换复印机 金额 850,000日元 租约到期", "更换复印机", "租约到期", 850_000),
        ("就業規則の改定\n第3条を改める。\n\n施行は4月1日。", "就業規則の改定",
         "第3条を改める。\n施行は4月1日。", None),
    ],
)  # fmt: skip
async def test_what_is_complete_is_not_asked_about(
    text: str, title: str, body: str, amount: int | None
) -> None:
    assert await settled(text) == Ringi(title, body, amount, ())


async def test_what_is_missing_is_asked_for_and_what_is_not_clear_too() -> None:
    assert await settled("", "PC購入", "老朽化") == Ringi("PC購入", "老朽化", None, ())
    two = "PC 5台（1台120,000円、計600,000円）の購入\n老朽化"
    assert (await settled(two, "600000")).amount == 600_000
    assert (await settled(two, "none")).amount is None
    assert (await settled(two, "?", "60万円")).amount == 600_000


@given(st.text(max_size=300))
def test_any_text_is_read_and_nothing_of_it_gets_lost_but_labels(text: str) -> None:
    told = read_proposal(text)

    assert len(told.title) <= LONGEST_TITLE
    assert all(amount > 0 for amount in told.amounts)
    assert "\n" not in told.title


async def test_a_form_is_filled_in_again_with_what_was_asked() -> None:
    values = {"title": "PC購入", "text": "老朽化\n3年", "amount": 600_000}
    ringi = await read(begin("", values, TODAY))

    assert ringi == Ringi("PC購入", "老朽化\n3年", 600_000, ())
    assert edit({RingiAsk: begin("", values, TODAY), Ringi: ringi}) == values


def test_what_is_still_open_is_told_as_data() -> None:
    catalogue = Catalogue((), (), None)  # type: ignore[arg-type]
    ask = attach(begin("PC購入", None, TODAY), (FILE,))
    told = facts({RingiAsk: ask}, catalogue)

    assert (told["title"], told["details"], told["missing"]) == ("PC購入", None, ["details"])
    assert told["files"] == [
        {"name": FILE.name, "sha256": FILE.sha256, "media_type": PDF, "size": 12_345}
    ]


def _text(pdf: bytes) -> str:
    return "".join("".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.parametrize("language", ["ja", "en", "zh"])
async def test_the_document_says_what_was_asked_and_nothing_typed_is_markup(
    language: Language,
) -> None:
    store, task = Store(), replace(TASK, language=language)
    ringi = Ringi(TRICKY, f"{TRICKY}\n{'長い文。' * 600}", 850_000, (FILE,))
    numbered = Numbered("R-2026-0001", TODAY)

    draft = await lay_out(ringi, COMPANY, store, task)  # type: ignore[arg-type]
    issued = await issue(ringi, COMPANY, store, task, numbered)  # type: ignore[arg-type]
    again = await issue(ringi, COMPANY, store, task, numbered)  # type: ignore[arg-type]

    assert issued == again
    mark = {"ja": "（下書き）", "en": "(draft)", "zh": "（草稿）"}[language]
    before, after = _text(store.kept[draft.sha256]), _text(store.kept[issued.sha256])
    assert after.count("".join(TRICKY.split())) == 2
    assert "¥850,000" in after
    assert FILE.sha256 in after
    assert before.replace("".join(mark.split()), "R-2026-0001") == after
    assert issued.pages > 1


@pytest.mark.parametrize(
    ("amount", "stages"),
    [(None, ["上長"]), (499_999, ["上長"]), (500_000, ["上長", "決裁"])],
)
def test_the_sample_route_asks_the_director_from_500000_yen(
    amount: int | None, stages: Sequence[str]
) -> None:
    assert agent.terms is not None
    terms = agent.terms({Ringi: Ringi("a", "b", amount, ())})
    route = read_routes(agent.route)["ringi"]

    asked = Asked(person("tanaka"), frozenset(), "ringi", terms)
    plan = freeze_route(Staffed().chart, NamedRoute("ringi", 0, route), asked, NOON)

    assert [stage.name for stage in plan.stages if stage.seats] == stages
    assert plan.resubmit == "continue"


# From the chat to the number


@pytest.fixture
async def firm(office: Office) -> Office:
    office.house = replace(office.house, agents={"ringi": agent})
    office.wall.files = {"f1": b"%PDF-1.7 quotation"}
    await office.execute("update people set roles = roles || '{admin}' where handle = 'other'")
    return office


async def test_a_company_can_use_approvals_with_no_other_agent(firm: Office) -> None:
    said = "稟議 複合機の入替 金額 850,000円\nリース満了 <!channel>"
    answer = await firm.say(said, thread="t", files=[SentFile("f1", "見積.pdf", PDF, 18)])
    await firm.work()
    card = next(m for m in firm.wall.posted.values() if "¥850,000" in m.text)
    assert "見積.pdf" in " ".join(field.value for field in card.fields)
    for decider in (firm.boss, firm.other_boss):
        assert await firm.state(answer.task_id) == "waiting:approval"
        await firm.click("approve", await firm.approval_id(answer.task_id), decider)
        await firm.work()

    assert await firm.state(answer.task_id) == "done"
    row = await firm.row("select number from documents", {})
    assert row.number.startswith("R-")
