"""Other companies' catalogues: figures and counters inside names, other units, shared names."""

from datetime import UTC, date, datetime

import pytest

from core.catalogue import Catalogue, Customer, Item
from core.reading.order import read_order, reading_json
from core.words import Language


def _item(code: str, name: str, unit: str, *aliases: str) -> Item:
    return Item(code, name, aliases, unit, 1000, 10)


def _customer(code: str, name: str, *aliases: str, language: Language = "ja") -> Customer:
    return Customer(code, name, aliases, language)


CATALOGUE = Catalogue(
    (
        _item("P15", "Phone 15", "台"),
        _item("P15-PRO", "Phone 15 Pro", "台"),
        _item("USB-2", "USBケーブル 2m", "本"),
        _item("USB-5", "USBケーブル 5m", "本"),
        _item("FILE", "A4ファイル 10冊組", "組", "ファイル"),
        _item("ENGINEER", "技術支援", "人日", "エンジニア派遣"),
        _item("HALL", "会場レンタル", "時間", "会場"),
        _item("WIRE", "電線", "m"),
        _item("BEEF", "牛肉", "kg"),
        _item("CALENDAR", "カレンダー 2027年版", "部"),
        _item("TAPE", "3Mテープ", "個"),
        _item("OIL", "WX-40", "本"),
        _item("AA", "単3電池", "個"),
        _item("AAA", "単4電池", "個"),
        _item("SOCKS", "5本指ソックス", "足"),
        _item("PEN-K", "ボールペン 黒", "本"),
        _item("PEN-R", "ボールペン 赤", "本"),
        _item("COURSE", "第2種研修", "名", "研修"),
        _item("SERVER", "1Uサーバー", "台"),
        _item("SEATS", "Office 500 ライセンス", "ユーザー", "office500"),
        _item("ADVICE", "コンサルティング", "月", "顧問"),
        _item("4900000000001", "はちみつ 500g", "瓶"),
        _item("CLEAN", "清掃", "回"),
    ),
    (
        _customer("K1", "三星商事株式会社", "三星商事"),
        _customer("K2", "Smith & Sons Ltd.", language="en"),
        _customer("K3", "株式会社12ヶ月"),
        _customer("K4", "山田商店", "山田"),
        _customer("K5", "山田商会", "山田"),
        _customer("K6", "学校法人五十嵐学園"),
        _customer("K7", "上海明珠贸易有限公司", "明珠贸易", language="zh"),
        _customer("K8", "一番館"),
    ),
    datetime(2026, 11, 25, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("text", "customer", "items"),
    [
        ("三星商事 Phone 15 5台", "K1", {"P15": 5}),
        ("三星商事 Phone 15 Pro 3台", "K1", {"P15-PRO": 3}),
        ("三星商事 Phone15を2台", "K1", {"P15": 2}),
        ("三星商事 USBケーブル 2m 10本", "K1", {"USB-2": 10}),
        ("三星商事 5m USBケーブル 10本", "K1", {"USB-5": 10}),
        ("三星商事 A4ファイル10冊組 3組", "K1", {"FILE": 3}),
        ("三星商事 ファイル5", "K1", {"FILE": 5}),
        ("三星商事 技術支援 10人日", "K1", {"ENGINEER": 10}),
        ("三星商事 会場 3時間", "K1", {"HALL": 3}),
        ("三星商事 電線 30m", "K1", {"WIRE": 30}),
        ("三星商事 牛肉 5kg", "K1", {"BEEF": 5}),
        ("三星商事 カレンダー 2027年版 50部", "K1", {"CALENDAR": 50}),
        ("三星商事 3Mテープ 5個", "K1", {"TAPE": 5}),
        ("三星商事 WX-40 5本", "K1", {"OIL": 5}),
        ("三星商事 単3電池 100個、単4電池 50個", "K1", {"AA": 100, "AAA": 50}),
        ("三星商事 5本指ソックス 10足", "K1", {"SOCKS": 10}),
        ("三星商事 ボールペン 黒 10本", "K1", {"PEN-K": 10}),
        ("三星商事 黒ボールペン 10本", "K1", {"PEN-K": 10}),
        ("三星商事 第2種研修 20名", "K1", {"COURSE": 20}),
        ("三星商事 1Uサーバー2台", "K1", {"SERVER": 2}),
        ("三星商事 Office 500 ライセンス 25ユーザー", "K1", {"SEATS": 25}),
        ("office500 25 users for Smith & Sons", "K2", {"SEATS": 25}),
        ("Smith and Sons: Phone 15 x 2", "K2", {"P15": 2}),
        ("株式会社12ヶ月 清掃 12回", "K3", {"CLEAN": 12}),
        ("三星商事 コンサルティング 3ヶ月 1月から", "K1", {"ADVICE": 3}),
        ("山田商会 清掃 3回", "K5", {"CLEAN": 3}),
        ("五十嵐学園 研修 五名", "K6", {"COURSE": 5}),
        ("明珠贸易 Phone 15 三台", "K7", {"P15": 3}),
        ("一番館 清掃一回", "K8", {"CLEAN": 1}),
        ("三星商事 4900000000001 5瓶", "K1", {"4900000000001": 5}),
        ("三星商事 はちみつ 500g 5瓶", "K1", {"4900000000001": 5}),
    ],
)
def test_figures_in_names_are_no_quantities(
    text: str, customer: str, items: dict[str, int], today: date
) -> None:
    reading = read_order(text, CATALOGUE, today)

    assert customer == reading.customer
    assert items == {line.code: line.quantity for line in reading.lines}
    assert reading.missing + reading.ambiguous + reading.unknown == ()


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("三星商事 USBケーブル 10本", "ambiguous", "USBケーブル"),
        ("三星商事 USBケーブル 3m 10本", "unknown", "USBケーブル 3m"),
        ("三星商事 ボールペン 10本", "ambiguous", "ボールペン"),
        ("三星商事 Phone 2台", "ambiguous", "Phone"),
        ("三星商事 はちみつ 1kg 5瓶", "unknown", "はちみつ 1kg"),
    ],
)
def test_a_size_that_is_not_sold_is_not_taken_for_one_that_is(
    text: str, key: str, words: str, today: date
) -> None:
    result = reading_json(read_order(text, CATALOGUE, today))

    assert result["items"] == []
    assert [words] == result[key]


def test_a_name_that_two_customers_share_is_left_open_with_both(today: date) -> None:
    reading = read_order("山田さんに清掃 3回", CATALOGUE, today)

    assert reading.customer is None
    assert reading.unknown_customer is not None
    assert reading.unknown_customer.candidates == ("K4", "K5")


def test_a_half_kilogram_is_refused(today: date) -> None:
    reading = read_order("三星商事 牛肉1.5kg", CATALOGUE, today)

    assert reading.invalid == ("牛肉",)
