"""Reading a transfer file back, to check what was written before anybody relies on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from core.transfer.kana import is_zengin
from core.transfer.records import ENCODING, RECORD, Account, Kind, Payment


class Broken(ValueError):
    """No transfer file: which record (counted from 1) is wrong, and how."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says. Its day has no year; `total` is that of its trailer, and the sum."""

    code: str
    payer: Account
    month: int
    day: int
    payments: tuple[Payment, ...]
    total: int


def read(content: bytes) -> Contents:
    """Everything a file says. Raises Broken where its form is wrong, a field holds what it can't,
    or the trailer does not agree with the data."""
    records = _records(content)
    kinds = "".join(record[0] for record in records)
    if len(records) < 4 or kinds != f"1{'2' * (len(records) - 3)}89":
        raise Broken(f"records of the kinds {kinds[:20]}")
    header, *data, trailer, end = records
    payments = tuple(_payment(n, record) for n, record in enumerate(data, 2))
    total = sum(payment.amount for payment in payments)
    place = len(records) - 1
    if _number(place, trailer[1:7]) != len(payments):
        raise Broken(f"record {place}: {len(payments)} payments, not {trailer[1:7]}")
    if _number(place, trailer[7:19]) != total:
        raise Broken(f"record {place}: the payments add up to {total}, not {trailer[7:19]}")
    _blank(place, trailer[19:])
    _blank(len(records), end[1:])
    return _contents(header, payments, total)


def _records(content: bytes) -> Sequence[str]:
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError as error:
        raise Broken(str(error)) from error
    if "\n" in text:
        lines = text.split("\r\n")
        if lines.pop():
            raise Broken("no CR LF at the end")
    else:
        lines = [text[place : place + RECORD] for place in range(0, len(text), RECORD)]
    for number, line in enumerate(lines, 1):
        if len(line.encode(ENCODING)) != RECORD or len(line) != RECORD:
            raise Broken(f"record {number}: {len(line)} characters")
    return lines


def _contents(header: str, payments: tuple[Payment, ...], total: int) -> Contents:
    if header[1:4] != "210":
        raise Broken(f"record 1: {header[1:4]} is no 総合振込")
    _blank(1, header[103:])
    month, day = _number(1, header[54:56]), _number(1, header[56:58])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise Broken(f"record 1: the day {header[54:58]}")
    place = header[58:95]
    payer = _account(1, place, header[95], header[96:103], header[14:54])
    _number(1, header[4:14])
    return Contents(header[4:14], payer, month, day, payments, total)


def _payment(number: int, record: str) -> Payment:
    _blank(number, record[38:42])
    _blank(number, record[91:111])
    _blank(number, record[112:])
    if record[90] != "0" or record[111] != "7":
        raise Broken(f"record {number}: code {record[90]}, class {record[111]}")
    to = _account(number, record[1:38], record[42], record[43:50], record[50:80])
    amount = _number(number, record[80:90])
    if amount <= 0:
        raise Broken(f"record {number}: nothing is paid")
    return Payment(to, amount)


def _account(number: int, place: str, kind: str, digits: str, holder: str) -> Account:
    found: Kind | None = next((each for each in get_args(Kind) if each == kind), None)
    names = [place[4:19], place[22:37], holder]
    if found is None or not all(is_zengin(name) for name in names) or not holder.strip():
        raise Broken(f"record {number}: an account of kind {kind}, {names}")
    for part in (place[:4], place[19:22], digits):
        _number(number, part)
    bank_name, branch_name, name = (each.rstrip(" ") for each in names)
    return Account(place[:4], bank_name, place[19:22], branch_name, found, digits, name)


def _number(record: int, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Broken(f"record {record}: {text!r} is no number")
    return int(text)


def _blank(record: int, text: str) -> None:
    if text.strip(" "):
        raise Broken(f"record {record}: {text!r} should be blank")
