"""A quotation's approval card as Flex, beside what LINE's own SDK takes for its JSON alone."""

from time import perf_counter
from uuid import UUID

from bench.figures import Figures, Goal, spread
from bot.line.press_ids import press_id
from bot.line.render import Look, render
from core.messages import Attachment, Button, Field, Line, Message, Picture, Progress

_ORGANISATION = UUID(int=7)

CARD = Message(
    text="#1042 株式会社ABC商事 見積 244,200円 の承認のお願い",
    title="#1042 承認のお願い",
    body="佐藤 花子 さんから見積書の承認を頼まれています。",
    fields=(
        Field("取引先", "株式会社ABC商事 営業部 御中"),
        Field("件名", "モニター・キーボードほか"),
        Field("納期", "2026年12月25日"),
        Field("支払条件", "月末締め翌月末払い"),
    ),
    lines=tuple(
        Line(f"27インチ 4Kモニター UltraSharp {number}", f"{number}台 × 39,800円", "199,000円")
        for number in range(1, 9)
    ),
    totals=(
        Field("小計", "222,000円"),
        Field("消費税 10%", "22,200円"),
        Field("合計", "244,200円"),
    ),
    progress=(
        Progress("受付", "done", "10:24"),
        Progress("価格の確認", "done", "10:24"),
        Progress("承認", "waiting"),
        Progress("発行", "todo"),
    ),
    picture=Picture("a" * 64, "見積書の1ページ目"),
    files=(Attachment("b" * 64, "Q-2026-0001_見積書.pdf", "application/pdf"),),
    buttons=(
        Button("approve", "承認する", "1", "primary"),
        Button("reject", "却下する", "1", "danger"),
        Button("return", "差し戻す", "1"),
        Button("delegate", "他の人に任せる", "1", "quiet"),
    ),
)


def drawn(*, quick: bool) -> Figures:
    """The card drawn, its presses named; one after the other."""
    from linebot.v3.messaging import FlexMessage

    n = 50 if quick else 2_000
    look = Look(
        lambda action, value: press_id(_ORGANISATION, action, value),
        lambda file: f"https://miyabi.example/d/{file.sha256}",
        "https://miyabi.example/d/picture",
    )
    (made,) = render(CARD, look, code="0412")
    ours, bare = [], []
    for _ in range(n):
        began = perf_counter()
        render(CARD, look, code="0412")
        ours.append((perf_counter() - began) * 1000)
        began = perf_counter()
        FlexMessage.from_dict(made).to_json()
        bare.append((perf_counter() - began) * 1000)
    mine = spread("a quotation's approval card of 8 lines as Flex", ours)
    theirs = spread("the same Flex through line-bot-sdk's own classes, to JSON", bare)
    return Figures("line card", mine, theirs, (Goal("p50, ms", mine.p50, 1),))
