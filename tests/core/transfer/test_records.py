"""Transfer files: the form byte for byte, read back, and what is refused."""

from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Permanent, Refused
from core.transfer import banks, consignor
from core.transfer.kana import cut, zengin
from core.transfer.reader import Broken, read
from core.transfer.records import MOST_YEN, Account, Payment, Transfer, render

PAYER = Account("0001", "ﾐｽﾞﾎ", "001", "ﾄｳｷﾖｳ", "1", "1234567", "ｶ)ﾐﾔﾋﾞｼﾖｳｼﾞ")
ABC = Account("0005", "ﾐﾂﾋﾞｼUFJ", "001", "ﾎﾝﾃﾝ", "1", "7654321", "ｶ)ｴ-ﾋﾞ-ｼ-ｼﾖｳｼﾞ")
YAMADA = Account("0009", "ﾐﾂｲｽﾐﾄﾓ", "001", "ﾎﾝﾃﾝ", "1", "123", "ﾔﾏﾀﾞ ﾀﾛｳ")
SAMPLE = Transfer(
    "1234567890", PAYER, date(2026, 12, 25), (Payment(ABC, 150_000), Payment(YAMADA, 49_500))
)


def test_the_file_is_as_the_form_has_it_byte_for_byte() -> None:
    plain, with_ends = render(SAMPLE, line_ends=False), render(SAMPLE)

    assert len(plain) == 600
    assert sha256(plain).hexdigest() == (
        "8d1e8946123e6e9d78eee1231b4edeb147cc4d4be920d74b25f4eb2220b48b32"
    )
    assert sha256(with_ends).hexdigest() == (
        "4df6b1ad2ce67223c044874dd45a8af23e2ce7079db47e8725effc2cc4a8d1f0"
    )


_names = st.text(st.sampled_from("アガパヴッキョーab1 ()-."), min_size=1, max_size=50)


@st.composite
def _accounts(draw: st.DrawFn, kinds: str = "1249") -> Account:
    def digits(width: int) -> str:
        return draw(st.text("0123456789", min_size=width, max_size=width))

    def name(width: int) -> str:
        try:
            return cut(zengin(draw(_names)), width)
        except Refused:
            return "ｶﾞ"

    kind = draw(st.sampled_from(kinds))
    return Account(digits(4), name(15), digits(3), name(15), kind, digits(7), name(30))  # type: ignore[arg-type]


_payments = st.builds(Payment, _accounts(), st.integers(1, MOST_YEN))


@given(_accounts("129"), st.dates(), st.lists(_payments, min_size=1, max_size=8), st.booleans())
def test_what_was_written_is_read_back(
    payer: Account, day: date, payments: list[Payment], line_ends: bool
) -> None:
    content = render(Transfer("0123456789", payer, day, tuple(payments)), line_ends=line_ends)

    found = read(content)

    assert len(content) == (len(payments) + 3) * (122 if line_ends else 120)
    assert (found.code, found.payer, found.payments) == ("0123456789", payer, tuple(payments))
    assert (found.month, found.day) == (day.month, day.day)
    assert found.total == sum(payment.amount for payment in payments)


@given(st.integers(0, 609), st.integers(0, 255))
def test_a_byte_that_was_changed_is_found_or_changes_what_is_read(place: int, byte: int) -> None:
    content = bytearray(render(SAMPLE))
    was, content[place] = content[place], byte
    try:
        found = read(bytes(content))
    except Broken:
        return

    assert (found == read(render(SAMPLE))) is (byte == was)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SAMPLE, payments=()),
        replace(SAMPLE, code="123"),
        replace(SAMPLE, payments=(Payment(ABC, 0),)),
        replace(SAMPLE, payments=(Payment(ABC, MOST_YEN + 1),)),
        replace(SAMPLE, payments=(Payment(ABC, MOST_YEN),) * 101),  # 13 digits together
        replace(SAMPLE, payments=(Payment(replace(ABC, number="12345678"), 1),)),
        replace(SAMPLE, payments=(Payment(replace(ABC, number="１２３"), 1),)),
        replace(SAMPLE, payments=(Payment(replace(ABC, holder="山田太郎"), 1),)),
        replace(SAMPLE, payments=(Payment(replace(ABC, holder=""), 1),)),
        replace(SAMPLE, payments=(Payment(replace(ABC, bank="5"), 1),)),
        replace(SAMPLE, payer=replace(PAYER, holder="ｱ" * 41)),
        replace(SAMPLE, payer=replace(PAYER, kind="4")),
    ],
)
def test_what_does_not_fit_is_refused(wrong: Transfer) -> None:
    with pytest.raises(Refused):
        render(wrong)


def test_a_payees_name_is_cut_at_30_bytes_never_within_a_letter() -> None:
    long = replace(ABC, holder="ｱ" * 29 + "ｶﾞｷ")

    [payment] = read(render(replace(SAMPLE, payments=(Payment(long, 1),)))).payments

    assert payment.to.holder == "ｱ" * 29


def test_an_account_is_of_a_bank_and_branch_that_exist() -> None:
    found = banks.account("0005", "001", "普通", "123", "ヤマダ　タロウ")

    assert (found.bank_name, found.branch_name) == ("ﾐﾂﾋﾞｼﾕ-ｴﾌｼﾞｴｲ"[:15], "ﾎﾝﾃﾝ")
    assert (found.number, found.holder, found.kind) == ("0000123", "ﾔﾏﾀﾞ ﾀﾛｳ", "1")
    for wrong in (
        ("0002", "001", "1", "1", "ア"),
        ("../0", "001", "1", "1", "ア"),
        ("0005", "000", "1", "1", "ア"),
        ("0005", "001", "7", "1", "ア"),
        ("0005", "001", "1", "12345678", "ア"),
        ("0005", "001", "1", "", "ア"),
        ("0005", "001", "1", "1", "山田"),
    ):
        with pytest.raises(Refused):
            banks.account(*wrong)


def test_every_bank_and_a_banks_every_branch_has_a_spelling() -> None:
    places = [banks.bank(code) for code in banks._banks()]
    places += [banks.branch("0005", code) for code in banks._branches("0005")]

    assert all(0 < len(place.kana) <= 15 for place in places)


def test_who_pays_is_told_what_is_missing() -> None:
    given = {"code": "1234567890", "kana": "ｶ)ﾐﾔﾋﾞｼﾖｳｼﾞ", "bank": "0001", "branch": "001"}
    with pytest.raises(Permanent) as told:
        consignor.payer(given)
    assert "transfer.kind, transfer.number" in told.value.words.en

    code, account = consignor.payer({**given, "kind": "普通", "number": "1234567"})

    assert (code, account) == ("1234567890", PAYER)
