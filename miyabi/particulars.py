"""Reads changes to a company's particulars as they are typed: `registration_number=T7000…`."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.bank_days import read_closing_day
from core.codec import dump, load
from core.company import Company
from core.documents import Files
from core.errors import Refused
from core.expenses.policy import read_policy
from core.registration import registration_number
from core.transfer import consignor
from core.words import LANGUAGES, Words

_UNKNOWN = Words(
    ja="「{text}」という項目はありません。使えるもの: {known}",
    en="There is no such item: “{text}”. Known: {known}",
    zh="没有“{text}”这个项目。可用: {known}",
)
_WRONG = Words(
    ja="{key} に「{value}」は使えません。使えるもの: {known}",
    en="{key} can't be “{value}”. Known: {known}",
    zh="{key} 不能为“{value}”。可用: {known}",
)
_NO_FILE = Words(
    ja="ファイル {path} を読めません（{why}）。",
    en="The file {path} can't be read ({why}).",
    zh="无法读取文件 {path}（{why}）。",
)
_NO_PNG = Words(
    ja="{path} はPNG画像ではありません。",
    en="{path} is no PNG picture.",
    zh="{path} 不是PNG图片。",
)

_TEXTS = frozenset({"name", "postal_code", "address", "phone", "email", "payment_terms"})
_CHOICES: Mapping[str, Mapping[str, object]] = {
    "rounding": {
        "down": "down", "切捨て": "down", "half_up": "half_up", "四捨五入": "half_up",
        "up": "up", "切上げ": "up",
    },
    "prices_include_tax": {"yes": True, "true": True, "no": False, "false": False},
    "language": {language: language for language in LANGUAGES},
}  # fmt: skip
_CONNECTORS = frozenset({"price_list", "ledger"})
_OPTIONS = _CONNECTORS | {"transfer"}
"""What is set option by option: `price_list.connector=…`, `transfer.code=…`."""
_PNG = b"\x89PNG\r\n\x1a\n"
_DAYS_AT_MOST = 3650


async def changed(company: Company, changes: Sequence[str], files: Files) -> Company:
    """The company with every change made. Raises Refused for the first that can't be."""
    for text in changes:
        key, mark, value = text.partition("=")
        if not mark:
            raise _unknown(text)
        company = await _change(company, key.strip(), value.strip(), files)
    return company


async def _change(company: Company, key: str, value: str, files: Files) -> Company:
    name, point, option = key.partition(".")
    if name == "transfer" and option not in consignor.OPTIONS and point:
        raise _unknown(key)
    if name == "transfer" and value:
        value = consignor.option(option, value)
    if name in _OPTIONS and point:
        options = {**(getattr(company, name) or {}), option: value}
        options = {each: chosen for each, chosen in options.items() if chosen}
        return _with(company, name, options or None)
    if key in _OPTIONS and not value:
        return _with(company, key, None)
    if key in _FILES:
        name, read = _FILES[key]
        return _with(company, name, await read(value, files) if value else None)
    return _with(company, key, _value(key, value))


def _with(company: Company, key: str, value: object) -> Company:
    changed: Company = load(Company, {**dump(company), key: value})
    return changed


def _value(key: str, value: str) -> object:
    """What a plain item is set to."""
    if key in _TEXTS and (value or key != "name"):
        return value.replace("\\n", "\n")  # an address has lines
    if key == "registration_number":
        return registration_number(value) if value else None
    if key == "closing_days":
        return tuple(_closing_day(each) for each in value.replace("、", ",").split(",") if each)
    if key in _CHOICES:
        choices = _CHOICES[key]
        if value not in choices:
            raise Refused(_WRONG.fill(key=key, value=value, known=", ".join(choices)))
        return choices[value]
    if key == "valid_days":
        if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= _DAYS_AT_MOST:
            raise Refused(_WRONG.fill(key=key, value=value, known=f"1-{_DAYS_AT_MOST}"))
        return int(value)
    if key == "time_zone":
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            known = "Asia/Tokyo, Europe/Paris …"
            raise Refused(_WRONG.fill(key=key, value=value, known=known)) from error
    raise _unknown(key)


def _closing_day(text: str) -> str:
    day = read_closing_day(text.strip())
    if day is None:
        raise Refused(_WRONG.fill(key="closing_days", value=text, known="08-14,2026-12-29 …"))
    return day


def _unknown(text: str) -> Refused:
    plain = [field.name for field in fields(Company) if not field.name.endswith("_sha256")]
    known = ", ".join(f"{name}=" for name in [*plain, *_FILES] if name not in _OPTIONS)
    known += "".join(f", {name}.connector=" for name in sorted(_CONNECTORS))
    known += "".join(f", transfer.{option}=" for option in consignor.OPTIONS)
    return Refused(_UNKNOWN.fill(text=text, known=known))


async def _seal(path: str, files: Files) -> str:
    content = _read(path)
    if not content.startswith(_PNG):
        raise Refused(_NO_PNG.fill(path=path))
    return await files.put(content, "image/png")


async def _template(path: str, files: Files) -> str:
    return await files.put(_read(path), "text/vnd.typst")


async def _expense_policy(path: str, files: Files) -> str:
    content = _read(path)
    read_policy(content.decode(errors="replace"))
    return await files.put(content, "application/toml")


_FILES: Mapping[str, tuple[str, Callable[[str, Files], Awaitable[str]]]] = {
    "seal": ("seal_sha256", _seal),
    "template": ("template_sha256", _template),
    "expense_policy": ("expense_policy_sha256", _expense_policy),
}


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Refused(_NO_FILE.fill(path=path, why=error.strerror or error)) from error
