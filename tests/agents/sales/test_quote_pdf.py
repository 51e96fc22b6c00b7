"""The 見積書 as a PDF: what is on it, that it can be filed, and that a draft is what is issued."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from core.catalogue import Catalogue, Customer, Item
from core.company import Company
from core.order import Order, OrderLine
from core.quotation import Quote, price_order, quote_data
from core.typeset import pages, preview, typeset
from core.words import Language

TEMPLATE = (Path(__file__).resolve().parents[3] / "agents" / "sales" / "quote.typ").read_bytes()
AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)

ITEMS = (
    Item("MON-27", "モニター 27型", (), "台", 32_800, 10),
    Item("PAPER", "コピー用紙 A4 2500枚", (), "箱", 2_380, 10),
    Item("TEA", "緑茶 500ml 24本", (), "ケース", 2_160, 8),
)
CATALOGUE = Catalogue(ITEMS, (Customer("C006", "株式会社髙﨑組", (), "ja"),), AT)
COMPANY = Company(
    "株式会社みやび商会",
    postal_code="100-0001",
    address="東京都千代田区千代田1-1-1\n雅ビル3階",
    phone="03-1234-5678",
    registration_number="T7000012050002",
    payment_terms="月末締め翌月末払い",
)
MIXED = Order(
    "C006",
    (OrderLine("PAPER", 12), OrderLine("TEA", 3)),
    due=date(2026, 12, 25),
    note="午前着でお願いします。",
)


def _quote(order: Order = MIXED, company: Company = COMPANY) -> Quote:
    return price_order(order, CATALOGUE, company)


def _long(lines: int) -> Quote:
    return _quote(replace(MIXED, lines=tuple(OrderLine("MON-27", n) for n in range(1, lines + 1))))


async def _pdf(
    quote: Quote,
    *,
    company: Company = COMPANY,
    number: str | None = "Q-2026-0001",
    issued_on: date = TODAY,
    language: Language = "ja",
    seal: bytes | None = None,
) -> bytes:
    data = quote_data(
        quote,
        company,
        number=number,
        issued_on=issued_on,
        language=language,
        reference="#1042",
        has_seal=seal is not None,
    )
    return await typeset(TEMPLATE, data, {} if seal is None else {"seal.png": seal}, at=AT)


def _text(pdf: bytes) -> str:
    """All the text, with spaces and line ends left out: where lines break is not the promise."""
    reader = PdfReader(BytesIO(pdf))
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def _seal() -> bytes:
    """A square PNG, all red."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = (b"\0" + b"\xc8\x10\x2e" * 60) * 60
    header = struct.pack(">IIBBBBB", 60, 60, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)


async def test_all_that_a_quotation_needs_is_on_it() -> None:
    text = _text(await _pdf(_quote()))

    for said in (
        "御見積書",
        "Q-2026-0001",
        "発行日2026年11月25日",
        "発行日より30日間",
        "株式会社髙﨑組御中",
        "納期2026年12月25日",
        "月末締め翌月末払い",
        "株式会社みやび商会",
        "〒100-0001",
        "東京都千代田区千代田1-1-1",
        "TEL03-1234-5678",
        "登録番号T7000012050002",
        "御見積金額¥38,414（税込）",
        "コピー用紙A42500枚12箱2,38028,560",
        "緑茶500ml24本※3ケース2,1606,480",
        "10%対象¥28,560",
        "消費税（10%）¥2,856",
        "8%対象（軽減税率）¥6,480",
        "消費税（8%）¥518",
        "合計（税込）¥38,414",
        "※は軽減税率",
        "午前着でお願いします。",
        "1/1",
    ):
        assert said in text


async def test_what_is_not_known_leaves_no_empty_label() -> None:
    bare = Company("みやび商会")
    text = _text(await _pdf(_quote(replace(MIXED, due=None, note="")), company=bare))

    for label in ("納期", "お支払条件", "登録番号", "TEL", "〒", "備考", "値引き"):
        assert label not in text


async def test_reduced_rate_mark_is_explained_only_where_it_stands() -> None:
    quote = _quote(replace(MIXED, lines=(OrderLine("MON-27", 1),)))

    assert "※" not in _text(await _pdf(quote))


async def test_discount_is_shown_with_its_percentage() -> None:
    text = _text(await _pdf(_quote(replace(MIXED, discount_percent=Decimal("12.5")))))

    assert "小計（税抜）¥35,040" in text
    assert "値引き（12.5%）−¥4,380" in text


async def test_prices_that_include_tax_say_so() -> None:
    company = replace(COMPANY, prices_include_tax=True)
    text = _text(await _pdf(_quote(company=company), company=company))

    assert "単価・金額は税込です。" in text
    assert "8%対象（軽減税率・税込）¥6,480内消費税（8%）¥480" in text
    assert "合計（税込）¥35,040" in text


async def test_english_and_chinese_editions() -> None:
    english = _text(await _pdf(_quote(), language="en"))
    chinese = _text(await _pdf(_quote(), language="zh"))

    for said in ("Quotation", "November25,2026", "Consumptiontax(8%)¥518", "Total(taxincluded)"):
        assert said in english
    for said in ("报价单", "2026年11月25日", "消费税（8%）¥518", "合计（含税）¥38,414"):
        assert said in chinese
    assert "御" not in english + chinese


@pytest.mark.parametrize(
    ("language", "mark"), [("ja", "（下書き）"), ("en", "(draft)"), ("zh", "（草稿）")]
)
async def test_draft_is_marked_where_the_number_will_be(language: Language, mark: str) -> None:
    text = _text(await _pdf(_quote(), number=None, language=language))

    assert mark in text
    assert "None" not in text


async def test_rare_characters_can_be_seen_and_searched() -> None:
    name = "㈱髙﨑組 𠮷野家 鷗外 葛城 ①㍿ ｶﾞｽ"
    quote = replace(_quote(), customer=Customer("X", name, (), "ja"))

    pdf = await _pdf(quote)

    page = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    assert name in page.get_text_range()
    assert page.search("株式会社みやび商会").get_next() is not None
    for part in ("㈱髙﨑組", "𠮷野家", "①㍿"):
        assert part in _text(pdf)


TRICKY = "#let x=1 *b* _i_ $x^2$ `c` @ref <lab> \\u{41} // /* [q] \"s\" -- ... ~ = - + 'a'"


async def test_markup_that_a_person_typed_appears_as_typed() -> None:
    tricky = replace(_quote().lines[0], name=TRICKY, unit="#u")
    quote = replace(
        _quote(),
        customer=Customer("X", TRICKY, (), "ja"),
        lines=(tricky,),
        note=f"{TRICKY}\n= {TRICKY}",
    )
    company = replace(COMPANY, name=TRICKY, address=TRICKY, payment_terms=TRICKY)

    text = _text(await _pdf(quote, company=company))

    assert text.count("".join(TRICKY.split())) >= 6
    assert "#u" in text


async def test_very_long_names_stay_inside_their_columns() -> None:
    names = ["漢" * 200, "W" * 300, "Ж" * 90, "a b " * 80]
    lines = tuple(
        replace(_quote().lines[0], name=name, unit="licences/month", quantity=10**9)
        for name in names
    )
    quote = replace(_quote(), lines=lines, customer=Customer("X", "Y" * 200, (), "ja"))

    pdf = await _pdf(quote, company=replace(COMPANY, name="Z" * 120, address="q" * 200))

    right_edge = 595.3 - 18 / 25.4 * 72
    assert max(box[2] for _, _, box in _glyphs(pdf)) <= right_edge + 0.5
    assert _text(pdf).count("W") == 300


async def test_two_hundred_lines_make_many_pages_each_with_its_headings() -> None:
    pdf = await _pdf(_long(200))
    reader = PdfReader(BytesIO(pdf))
    texts = ["".join(page.extract_text().split()) for page in reader.pages]

    assert pages(pdf) == len(texts) >= 5
    for place, text in enumerate(texts, 1):
        assert f"{place}/{len(texts)}" in text
        assert "Q-2026-0001" in text
        assert "株式会社髙﨑組御中" in text
    for text in texts[:-1]:
        assert "品名数量単位単価金額" in text
    assert "合計（税込）" in texts[-1]
    assert sum(text.count("モニター27型") for text in texts) == 200 + 1  # and in the subject


async def test_line_stays_on_one_page_unless_its_name_could_fill_one() -> None:
    line = replace(_quote().lines[0], name="長い品名" * 30)
    quote = replace(_quote(), lines=(line,) * 30)
    reader = PdfReader(BytesIO(await _pdf(quote)))

    for page in reader.pages:
        assert "".join(page.extract_text().split()).count("長い品名") % 30 in (0, 9)  # subject: 9
    endless = replace(quote, lines=(replace(line, name="長い品名" * 2000),))
    assert _text(await _pdf(endless)).count("長い品名") >= 2000


async def test_pdf_can_be_filed_for_ten_years() -> None:
    """PDF/A-3b with every font in the file."""
    pdf = await _pdf(_quote(), seal=_seal())
    reader = PdfReader(BytesIO(pdf))
    root = reader.trailer["/Root"]
    assert isinstance(root, DictionaryObject)
    metadata = root["/Metadata"].get_data().decode()  # type: ignore[attr-defined]

    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata
    assert str(root["/Lang"]) == "ja-JP"
    assert root["/OutputIntents"]
    fonts = list(_fonts(reader))
    assert len(fonts) == 2  # regular and bold
    assert all("NotoSansCJKjp" in name and embedded for name, embedded in fonts)


def _fonts(reader: PdfReader) -> Iterator[tuple[str, bool]]:
    seen: set[str] = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            name = str(descriptor["/FontName"])
            if name not in seen:
                seen.add(name)
                yield name, any(key in descriptor for key in ("/FontFile3", "/FontFile2"))


async def test_same_quote_gives_the_same_bytes() -> None:
    assert await _pdf(_quote(), seal=_seal()) == await _pdf(_quote(), seal=_seal())


Glyph = tuple[int, str, tuple[float, float, float, float]]


def _glyphs(pdf: bytes) -> list[Glyph]:
    """Every visible character: its page, itself, and its box in points."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for place, page in enumerate(document):
        text = page.get_textpage()
        for index in range(text.count_chars()):
            character = text.get_text_range(index, 1)
            if character.strip():
                left, bottom, right, top = text.get_charbox(index)
                box = (round(left, 2), round(bottom, 2), round(right, 2), round(top, 2))
                found.append((place, character, box))
    return found


@pytest.mark.parametrize("language", ["ja", "en", "zh"])
@pytest.mark.parametrize("lines", [2, 60])
@pytest.mark.parametrize("issued", ["Q-2026-0001", "Q-2026-10000-12"])
async def test_issued_document_is_the_draft_with_a_number(
    language: Language, lines: int, issued: str
) -> None:
    """Every other character stands where it stood when it was approved."""
    mark = {"ja": "（下書き）", "en": "(draft)", "zh": "（草稿）"}[language]
    quote, seal = _long(lines), _seal()
    draft = await _pdf(quote, number=None, language=language, seal=seal)
    final = await _pdf(quote, number=issued, language=language, seal=seal)

    before, after = Counter(_glyphs(draft)), Counter(_glyphs(final))
    count = pages(draft)
    assert count == pages(final)
    assert sorted(character for _, character, _ in (before - after).elements()) == sorted(
        mark * count
    )
    assert sorted(character for _, character, _ in (after - before).elements()) == sorted(
        issued * count
    )


async def test_issued_on_another_day_only_the_date_of_issue_changes() -> None:
    quote = _long(60)
    draft = await _pdf(quote, number=None)
    final = await _pdf(quote, number="Q-2026-0001", issued_on=date(2026, 11, 27))

    def rest(pdf: bytes, *varying: str) -> str:
        text = _text(pdf)
        for words in varying:
            assert words in text
            text = text.replace(words, "")
        return text

    assert rest(draft, "（下書き）", "発行日2026年11月25日") == rest(
        final, "Q-2026-0001", "発行日2026年11月27日"
    )
    moved = Counter(_glyphs(draft)) - Counter(_glyphs(final))
    assert not Counter(c for _, c, _ in moved.elements()) - Counter(
        "（下書き）" * pages(draft) + "2026年11月25日"
    )


async def test_seal_stands_over_the_end_of_our_name() -> None:
    data = quote_data(
        _quote(),
        COMPANY,
        number=None,
        issued_on=TODAY,
        language="ja",
        reference="#1042",
        has_seal=True,
    )
    pdf = await typeset(TEMPLATE, data, {"seal.png": _seal()}, at=AT)
    document = pypdfium2.PdfDocument(pdf)
    images = [o for o in document[0].get_objects() if o.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    left, bottom, right, top = images[0].get_bounds()
    name = max(box for _, character, box in _glyphs(pdf) if character == "会")  # 商会, rightmost

    assert len(images) == 1
    assert left < name[2] < right
    assert bottom < name[1] < name[3] < top
    assert abs((right - left) - (top - bottom)) < 0.1


async def test_preview_shows_the_first_page() -> None:
    data = quote_data(
        _quote(), COMPANY, number=None, issued_on=TODAY, language="ja", reference="#1042"
    )

    png = await preview(TEMPLATE, data, {}, at=AT)

    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    assert png.startswith(b"\x89PNG")
    assert abs(width - 210 / 25.4 * 110) <= 1
    assert abs(height - 297 / 25.4 * 110) <= 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=60), min_size=5, max_size=5), st.sampled_from(["ja", "en", "zh"]))
async def test_any_text_makes_a_document(texts: list[str], language: Language) -> None:
    name, unit, customer, note, address = texts
    line = replace(_quote().lines[0], name=name, unit=unit)
    quote = replace(_quote(), lines=(line,), customer=Customer("X", customer, (), "ja"), note=note)

    pdf = await _pdf(quote, company=replace(COMPANY, address=address), language=language)

    assert pages(pdf) >= 1
