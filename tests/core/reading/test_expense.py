"""Lines of expense claims, as people write them in three languages."""

import itertools
import re
import sys
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading.expense import Entry, read_attendees, read_expenses, read_people, read_yen
from core.reading.numbers import NUMBER
from core.reading.past_dates import find_past_dates
from core.reading.text import fold

TODAY = date(2026, 11, 25)  # a Wednesday


def said(entry: Entry) -> dict[str, Any]:
    """What an entry says, without what it leaves open."""
    found = {name: getattr(entry, name) for name in Entry.__slots__ if name != "words"}
    yen = [each.yen * each.times for each in found.pop("amounts")]
    found["yen"] = yen[0] if len(yen) == 1 else tuple(yen)
    day = found.pop("day")
    found["day"] = f"{day:%m-%d}" if day else None
    return {name: value for name, value in found.items() if value not in (None, "", (), False)}


TAXI = {"day": "11-20", "yen": 2340}

LINES: list[tuple[str, dict[str, Any]]] = [
    (
        "11/20 タクシー 2,340円 品川→新宿 ABC商事訪問",
        {**TAXI, "payee": "タクシー", "purpose": "品川→新宿 ABC商事訪問"},
    ),
    (
        "１１／２０　タクシー　２，３４０円　品川→新宿",
        {**TAXI, "payee": "タクシー", "purpose": "品川→新宿"},
    ),
    ("11月20日 タクシー代2340円 商談", {**TAXI, "payee": "タクシー", "purpose": "商談"}),
    ("11/20(金) タクシー ¥2,340 商談", {**TAXI, "payee": "タクシー", "purpose": "商談"}),
    ("令和8年11月20日 タクシー 2,340円", {**TAXI, "payee": "タクシー"}),
    ("11/20 タクシー 2340 商談", {**TAXI, "payee": "タクシー", "purpose": "商談"}),
    (
        "昨日スターバックスで打ち合わせ 1,200円",
        {"day": "11-24", "yen": 1200, "payee": "スターバックス", "purpose": "打ち合わせ"},
    ),
    ("一昨日の電車代320円", {"day": "11-23", "yen": 320, "payee": "電車"}),
    ("先週の金曜 駐車場 600円", {"day": "11-20", "yen": 600, "payee": "駐車場"}),
    ("20日 駐車場 600円", {"day": "11-20", "yen": 600, "payee": "駐車場"}),
    ("12/28 文具 600円", {"day": "12-28", "yen": 600, "payee": "文具"}),  # yet to come, and asked
    ("11/31 タクシー 900円", {"wrong_day": True, "yen": 900, "payee": "タクシー"}),
    (
        "11/21 電車 640円 渋谷→品川 往復 定例会議",
        {
            "day": "11-21",
            "yen": 640,
            "payee": "電車",
            "purpose": "渋谷→品川 定例会議",
            "round_trip": True,
        },
    ),
    (
        "11/21 電車 片道320円 往復 客先",
        {
            "day": "11-21",
            "yen": 320,
            "payee": "電車",
            "purpose": "客先",
            "round_trip": True,
            "one_way": True,
        },
    ),
    (
        "11/20 新幹線 13,000円×4名 東京→大阪 出張",
        {
            "day": "11-20",
            "yen": 52_000,
            "payee": "新幹線",
            "purpose": "東京→大阪 出張",
            "people": 4,
        },
    ),
    (
        "11/20 居酒屋 6,000円 3名で割り勘",
        {"day": "11-20", "yen": 6000, "payee": "居酒屋", "shared": 3, "people": 3},
    ),
    (
        "11/18 鮨大 33,000円 会食 参加者: 佐藤様(ABC商事)、伊藤様、田中 計3名 T7000012050002",
        {
            "day": "11-18",
            "yen": 33_000,
            "payee": "鮨大",
            "purpose": "会食",
            "attendees": ("佐藤様(ABC商事)", "伊藤様", "田中"),
            "people": 3,
            "registration": "T7000012050002",
        },
    ),
    (
        "支払先：大塚商会 11/20 5,500円 目的：プリンタ用紙 区分：消耗品費",
        {
            "day": "11-20",
            "yen": 5500,
            "payee": "大塚商会",
            "purpose": "プリンタ用紙",
            "category": "消耗品費",
        },
    ),
    (
        "11/20 弁当 1,080円 8% 社内会議",
        {"day": "11-20", "yen": 1080, "payee": "弁当", "purpose": "社内会議", "rate": 8},
    ),
    (
        "11/20 講演料 110,000円（うち消費税10,000円）山田太郎 社内セミナー",
        {
            "day": "11-20",
            "yen": 110_000,
            "payee": "講演料",
            "purpose": "山田太郎 社内セミナー",
            "tax": 10_000,
        },
    ),
    (
        "11/20 昼食 1,000円 コーヒー 500円",
        {"day": "11-20", "yen": (1000, 500), "payee": "昼食", "purpose": "コーヒー"},
    ),
    (
        "Nov 20 taxi 2,340 yen Shinagawa to Shinjuku, visit to ABC",
        {**TAXI, "payee": "taxi", "purpose": "Shinagawa to Shinjuku visit to ABC"},
    ),
    (
        "lunch with Sato and Ito at Sushi Dai 5,000 yen on Nov 19, 3 people",
        {
            "day": "11-19",
            "yen": 5000,
            "payee": "Sushi Dai",
            "purpose": "lunch",
            "attendees": ("Sato", "Ito"),
            "people": 3,
        },
    ),
    (
        "yesterday: train 640 yen round trip to Yokohama for client visit",
        {
            "day": "11-24",
            "yen": 640,
            "payee": "train",
            "purpose": "to Yokohama for client visit",
            "round_trip": True,
        },
    ),
    ("2026-11-20 dinner ¥6,000 split 3 ways", {"day": "11-20", "yen": 6000, "payee": "dinner"}),
    (
        "11月20日 出租车 2,340日元 品川→新宿 拜访ABC",
        {**TAXI, "payee": "出租车", "purpose": "品川→新宿 拜访ABC"},
    ),
    (
        "上周五 打车 2,340日元 机场到酒店",
        {**TAXI, "payee": "打车", "purpose": "机场到酒店"},
    ),
    (
        "昨天 晚餐 900元 AA制 3人",
        {"day": "11-24", "yen": 900, "payee": "晚餐", "shared": 3, "people": 3},
    ),
    ("2,340円", {"yen": 2340}),
    ("1. 11/20 タクシー 2,340円 商談", {**TAXI, "payee": "タクシー", "purpose": "商談"}),
    ("①11/20 タクシー 2,340円 商談", {**TAXI, "payee": "タクシー", "purpose": "商談"}),
    ("Nov 20: taxi 2,340 yen visit", {**TAXI, "payee": "taxi", "purpose": "visit"}),
    (
        "11/20 タクシー代（品川→新宿、ABC商事訪問のため）2,340円",
        {**TAXI, "payee": "タクシー", "purpose": "品川→新宿 ABC商事訪問のため"},
    ),
    ("11/20 品川→新宿 タクシー 2,340円", {**TAXI, "payee": "タクシー", "purpose": "品川→新宿"}),
    (
        "11/20に品川から新宿までタクシーで2,340円かかりました。ABC商事訪問です。",
        {**TAXI, "payee": "タクシー", "purpose": "品川から新宿まで ABC商事訪問"},
    ),
    ("11/20 ABC(株) 2,340円 部品", {**TAXI, "payee": "ABC(株)", "purpose": "部品"}),
    (
        "10/1〜10/31 電車定期 12,000円 通勤",
        {"day": "10-01", "yen": 12_000, "payee": "電車定期", "purpose": "通勤"},
    ),
    (
        "11/20 会食費 45,000円（ABC商事 佐藤部長、伊藤課長 他1名 計4名）新規案件",
        {
            "day": "11-20",
            "yen": 45_000,
            "payee": "会食",
            "purpose": "ABC商事 佐藤部長 伊藤課長 他1名 新規案件",
            "attendees": ("佐藤", "伊藤"),
            "people": 4,
        },
    ),
    (
        "11月20日 和ABC公司的王先生、李女士吃晚饭 共4人 30,000日元 海底捞",
        {
            "day": "11-20",
            "yen": 30_000,
            "payee": "海底捞",
            "purpose": "和ABC公司的王先生 李女士吃晚饭",
            "attendees": ("和ABC公司的王", "李"),
            "people": 4,
        },
    ),
]


@pytest.mark.parametrize(("text", "expected"), LINES, ids=[text for text, _ in LINES])
def test_a_line_is_read(text: str, expected: dict[str, Any]) -> None:
    [entry] = read_expenses(text, TODAY)

    found = said(entry)
    if "split" in text:
        expected = {**expected, "shared": 3, "people": 3}
    assert found == expected


def test_several_lines_each_have_their_own() -> None:
    text = (
        "11/20 タクシー 2,340円 商談\n電車 320円 帰社\n・11/21 ホテル 9,800円 出張 11/22 バス 210円"
    )

    found = [(said(entry)["day"], said(entry)["yen"]) for entry in read_expenses(text, TODAY)]

    assert found == [("11-20", 2340), ("11-20", 320), ("11-21", 9800), ("11-22", 210)]


def test_a_date_on_a_line_of_its_own_is_of_those_below() -> None:
    found = read_expenses("11/20\nタクシー 2,340円\n電車 320円", TODAY)

    assert [entry.day for entry in found] == [date(2026, 11, 20)] * 2


def test_a_line_above_all_says_what_for_where_a_line_does_not() -> None:
    found = read_expenses("大阪出張\n11/20 新幹線 13,870円\n11/20 バス 210円 帰社", TODAY)

    assert [entry.purpose for entry in found] == ["大阪出張", "帰社"]


def test_a_line_with_neither_date_nor_amount_belongs_to_the_one_above() -> None:
    [entry] = read_expenses(
        "11/18 鮨大 33,000円\n会食 新製品の件\n参加者：佐藤様、伊藤様 計3名", TODAY
    )

    assert (entry.purpose, entry.attendees, entry.people) == (
        "会食 新製品の件",
        ("佐藤様", "伊藤様"),
        3,
    )


@pytest.mark.parametrize(
    ("today", "text", "day"),
    [
        (date(2027, 1, 5), "12/28", date(2026, 12, 28)),
        (date(2026, 12, 30), "1/4", date(2027, 1, 4)),
        (date(2026, 11, 25), "昨日", date(2026, 11, 24)),
        (date(2026, 11, 25), "last friday", date(2026, 11, 20)),
        (date(2026, 11, 25), "3日前", date(2026, 11, 22)),
        (date(2026, 11, 25), "先月30日", date(2026, 10, 30)),
        (date(2026, 11, 25), "26日", date(2026, 10, 26)),
        (date(2026, 11, 25), "2/30", None),
    ],
)
def test_a_date_is_of_what_has_been(today: date, text: str, day: date | None) -> None:
    [found] = find_past_dates(fold(text).text, today)

    assert found.value == day


def test_answers_are_read() -> None:
    assert read_yen("1,500円です") == 1500
    assert read_yen("1,500円か2,000円") is None
    assert (read_people("3名"), read_people("三人"), read_people("3")) == (3, 3, 3)
    assert read_attendees("ABC商事 佐藤様、伊藤様 計3名") == (("ABC商事 佐藤様", "伊藤様"), 3)
    assert read_attendees("和田様と佐藤和夫様、さとう様") == (
        ("和田様", "佐藤和夫様", "さとう様"),
        None,
    )
    assert read_attendees("王先生和李女士 共3人") == (("王先生", "李女士"), 3)
    assert read_attendees("Sato (ABC), Ito, 3 people") == (("Sato (ABC)", "Ito"), 3)


_PIECES = st.sampled_from(
    ["11/20", "昨日", " ", "\n", "2,340円", "¥", "タクシー", "往復", "3名で割り勘", "×4名", "at ",
     "with ", "参加者：", "T7000012050002", "8%", "（うち消費税", "円）", "=SUM(A1)", "<!channel>",
     "、", "→"]
)  # fmt: skip


@given(st.text(max_size=300) | st.lists(_PIECES, max_size=30).map("".join))
def test_any_text_is_read_and_nothing_is_made_up(text: str) -> None:
    folded = fold(text).text
    for entry in read_expenses(text, TODAY):
        for typed in (entry.payee, entry.purpose, *entry.attendees):
            assert all(word in " ".join(text.split()) for word in typed.split())
        for amount in entry.amounts:
            assert amount.yen > 0
            assert amount.times >= 1
            assert re.search(NUMBER, folded)


@given(st.integers(1, 10**9), st.integers(0, 89))
def test_what_is_written_is_what_is_read(yen: int, days: int) -> None:
    day = date.fromordinal(TODAY.toordinal() - days)
    for text in (
        f"{day.month}/{day.day} タクシー {yen:,}円 商談",
        f"{day:%b} {day.day} taxi {yen:,} yen visit",
        f"{day.month}月{day.day}日 出租车 {yen:,}日元 拜访",
    ):
        [entry] = read_expenses(text, TODAY)
        assert (entry.day, [each.yen for each in entry.amounts]) == (day, [yen])


@pytest.mark.parametrize(
    "text", ["11/20 1円 " * 2000, "1円" * 6000, "a\n" * 5000, "at with " * 2000, "目的:" * 5000]
)
def test_a_long_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    """By the number of steps of Python, not by the clock."""
    steps = []
    for part in (text[: len(text) // 4], text):
        counter = itertools.count()
        sys.setprofile(lambda *_, counter=counter: next(counter))
        try:
            read_expenses(part, TODAY)
        finally:
            sys.setprofile(None)
        steps.append(next(counter))

    assert steps[1] < 6 * steps[0]
