"""The 経費精算書 as a PDF: what is on it, and that what was approved is what is issued."""

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from pypdf import PdfReader

from core.agent import Attached
from core.company import Company
from core.expenses.books import Submitted, Twin
from core.expenses.checking import check
from core.expenses.claim import Checked, Claim
from core.expenses.document import claim_data
from core.expenses.policy import usual_policy
from core.expenses.settling import rules_for, settle
from core.reading.expense import read_expenses
from core.typeset import pages, typeset
from core.words import Language

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = (ROOT / "agents" / "accounting" / "expense.typ").read_bytes()
TODAY = date(2026, 11, 25)
TEXT = """\
11/20 タクシー 2,340円 品川→新宿 ABC商事訪問
11/20 弁当 1,080円 8% 社内会議 T7000012050002
11/18 鮨大 33,000円 会食 参加者: 佐藤様(ABC商事)、髙﨑様 計3名
11/17 講演料 110,000円（うち消費税10,000円）山田太郎 社内セミナー
11/16 <!channel> #image("x") *bold* 500円 文具 =HYPERLINK("x")"""
RECEIPT = Attached("ab" * 32, "領収書.pdf", "application/pdf", 1234)
TWINS = Submitted(UUID(int=1), (Twin(1, 1001, "鈴木 花子", own=False),))


def checked(text: str = TEXT) -> Checked:
    policy = usual_policy()
    claim = settle(read_expenses(text, TODAY), {}, rules_for(policy, TODAY, TODAY, ""))
    assert isinstance(claim, Claim)
    return check(claim, {}, policy, "")


async def pdf(
    claim: Checked, language: Language = "ja", number: str | None = "E-2026-0001"
) -> bytes:
    data = claim_data(
        claim, TWINS, (RECEIPT,), Company("株式会社みやび商会"), person="田中 太郎", number=number,
        issued_on=TODAY, language=language, reference="#1042",
    )  # fmt: skip
    return await typeset(TEMPLATE, data, {}, at=datetime(2026, 11, 25, tzinfo=UTC))


def text_of(content: bytes) -> str:
    reader = PdfReader(BytesIO(content))
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "ja",
            ("経費精算書", "申請者田中太郎", "旅費交通費", "源泉徴収税額−¥10,210", "重複の疑い"),
        ),
        ("en", ("Expenseclaim", "Claimedby田中太郎", "Travel")),
        ("zh", ("费用报销单", "差旅交通费", "疑似重复")),
    ],
)
async def test_all_that_a_claim_needs_is_on_it(language: Language, words: tuple[str, ...]) -> None:
    text = text_of(await pdf(checked(), language))

    for said in (
        *words, "E-2026-0001", "タクシー", "品川→新宿ABC商事訪問", "T7000012050002",
        "佐藤様(ABC商事)", "髙﨑", "¥33,000", "¥146,920", "¥136,710", "ab" * 32, "#1042",
        '=HYPERLINK("x")', "<!channel>",
    ):  # fmt: skip
        assert said in text, said


async def test_a_draft_differs_by_its_number_only_and_the_same_gives_the_same_bytes() -> None:
    claim = checked()
    draft, issued = await pdf(claim, number=None), await pdf(claim)

    assert text_of(draft) == text_of(issued).replace("E-2026-0001", "（下書き）")
    assert await pdf(claim) == issued


async def test_a_long_claim_goes_over_pages() -> None:
    content = await pdf(checked("\n".join(["11/20 電車 320円 渋谷→品川 定例会議"] * 60)))

    assert pages(content) > 1
    assert text_of(content).count("渋谷→品川") == 60
