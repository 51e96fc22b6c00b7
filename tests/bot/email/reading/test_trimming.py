"""What a person wrote, without what they quoted and without their signature."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.email.reading.flowed import unflow
from bot.email.reading.forwards import is_marker
from bot.email.reading.html_text import to_text
from bot.email.reading.quotes import (
    attribution,
    head,
    is_plain,
    is_quoted,
    is_rule,
    is_separator,
)
from bot.email.reading.trimming import written, written_html

OLD = "お世話になっております。A-100 を 10 個お願いします。"

ATTRIBUTIONS = {
    "gmail ja": "2024年6月10日(月) 9:00 田中 太郎 <tanaka@example.co.jp>:",
    "gmail ja, wrapped": "2024年6月10日(月) 9:00 株式会社とても長い名前の会社 営業部 田中 太郎\n"
    "<tanaka@example.co.jp>:",
    "gmail en": "On Mon, Jun 10, 2024 at 9:00 AM Taro Tanaka <tanaka@example.co.jp> wrote:",
    "gmail en, wrapped": "On Mon, Jun 10, 2024 at 9:00 AM Taro Tanaka <\ntanaka@example.co.jp>\n"
    "wrote:",
    "iphone ja": "2024/06/10 9:00、田中 太郎 <tanaka@example.co.jp>のメール:",
    "iphone ja, message": "2024/06/10 9:00、tanaka@example.co.jpのメッセージ:",
    "thunderbird ja": "On 2024/06/10 9:00, 田中 太郎 wrote:",
    "thunderbird ja, brackets": "(2024/06/10 9:00), 田中 太郎 wrote:",
    "becky": "On Mon, 10 Jun 2024 09:00:00 +0900\n田中 太郎 <tanaka@example.co.jp> wrote:",
    "yahoo ja": "2024年6月10日 月曜日 9:00 JST、田中 太郎<tanaka@example.co.jp>さんのメール：",
    "wrote": "2024/06/10 9:00, 田中 太郎 さんは書きました:",
    "german": "Am 10.06.2024 um 09:00 schrieb Taro Tanaka:",
    "german, name": "Taro Tanaka <tanaka@example.co.jp> schrieb am Mo., 10. Juni 2024, 09:00:",
    "french": "Le lun. 10 juin 2024 à 09:00, Taro Tanaka <tanaka@example.co.jp> a écrit :",
    "spanish": "El lun, 10 jun 2024 a las 9:00, Taro Tanaka (<tanaka@example.co.jp>) escribió:",
    "chinese": "田中 <tanaka@example.co.jp> 于2024年6月10日周一 09:00写道：",
    "chinese, apple": "在 2024年6月10日，09:00，田中 <tanaka@example.co.jp> 写道：",
}


@pytest.mark.parametrize("line", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_the_mail_that_is_answered_is_cut(line: str) -> None:
    said = written(f"承認します。\n\n{line}\n\n> {OLD}\n> よろしく\n", "Re: 見積")
    assert (said.new, said.first) == ("承認します。", "承認します。")
    assert OLD in said.quoted


@pytest.mark.parametrize("name", ["gmail en", "gmail ja", "iphone ja", "german", "chinese, apple"])
def test_without_marks_too(name: str) -> None:
    said = written(f"承認します。\n\n{ATTRIBUTIONS[name]}\n\n{OLD}\n", "Re: 見積")
    assert said.new == "承認します。"


HEADS = {
    "outlook ja": "差出人: 田中 太郎 <tanaka@example.co.jp>\n送信日時: 2024年6月10日 9:00\n"
    "宛先: 'Miyabi' <quote@example.com>\n件名: 見積",
    "outlook ja, rule": "________________________________\n差出人: 田中\n"
    "送信日時: 2024年6月10日\n宛先: Miyabi\n件名: 見積",
    "outlook en, bold": "*From:* Tanaka <tanaka@example.co.jp>\n*Sent:* Monday, June 10, 2024\n"
    "*To:* Miyabi <\nquote@example.com>\n*Subject:* Quote",
    "original": "-----Original Message-----\nFrom: tanaka@example.co.jp\nSent: Monday\nTo: you",
    "original ja": "----- 元のメッセージ -----\n差出人: tanaka@example.co.jp",
    "german": "Von: Tanaka\nGesendet: Montag, 10. Juni 2024\nAn: Miyabi\nBetreff: Angebot",
    "chinese": "------------------ 原始邮件 ------------------\n发件人: 田中\n"
    "发送时间: 2024年6月10日",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_heads_of_copied_mails_begin_what_is_quoted(head: str) -> None:
    text = f"承認\n\n田中\n\n{head}\n\n{OLD}\n"
    said = written(text, "RE: 見積")
    assert (said.new, said.first) == ("承認\n\n田中", "承認")
    assert said.forwarded is None
    # Outlook's "forward" writes the very same head: what is asked about is in there
    passed_on = written(text, "FW: 見積")
    assert OLD in passed_on.new
    assert passed_on.forwarded is not None
    assert passed_on.forwarded.sender in ("tanaka@example.co.jp", "田中", "Tanaka")
    assert passed_on.first == "承認"


@pytest.mark.parametrize(
    "text",
    [
        "交通費をお願いします。\nFrom: 東京\nTo: 大阪\nDate: 6/10\n金額: 14,000円",
        "On Monday we need 10 pieces:\nA-100",
        "2024年6月10日の山田様からのメール:\nA-100 を 10 個",
        "On Monday, June 10, 2024 my boss said:\nA-100, 10 pieces",
        "納期は 2024/06/10 9:00 までに:\n本社",
        "件名: 見積依頼\n宛先: 株式会社山田\n日付: 2024/06/10\nA-100 10個",
        "A-100 10個\n--------------\n納品先\n〒100-0001 東京都千代田区1-1\n株式会社山田\n"
        "TEL 03-1234-5678",
        "経費申請\n日付：6/10\n宛先：上様\n件名：交通費\n差出人：田中",
        "品名  数量\n==========\nA-100 10\n==========\n合計 10",
    ],
)
def test_what_only_looks_like_it_is_kept(text: str) -> None:
    said = written(text, "見積依頼")
    assert (said.new, said.quoted, said.signature) == (text, "", "")


def test_answers_between_quoted_lines_keep_what_they_answer() -> None:
    said = written(
        "On 2024/06/10 9:00, Miyabi wrote:\n> こんにちは。\n>\n> 納期はいつですか。\n来週です。\n"
        "> 数量は何個ですか。\n10 個です。\n> よろしくお願いします。\n",
        "Re: 見積",
    )
    assert said.new == "> 納期はいつですか。\n来週です。\n> 数量は何個ですか。\n10 個です。"
    assert "こんにちは" in said.quoted
    assert "よろしく" in said.quoted
    assert said.first == "来週です。"


def test_an_answer_below_the_whole_mail_stands_alone() -> None:
    said = written("On 2024/06/10 9:00, Miyabi wrote:\n> 納期は？\n\n承認\n-- \n田中", "Re: 見積")
    assert (said.new, said.signature) == ("承認", "--\n田中")


FORWARDS = {
    "gmail": "---------- Forwarded message ---------\nFrom: 山田 <yamada@example.net>\n"
    "Date: Mon, Jun 10, 2024\nSubject: 注文\nTo: <tanaka@example.co.jp>\n\n",
    "apple": "Begin forwarded message:\n\n> 差出人: 山田 <yamada@example.net>\n> 件名: 注文\n"
    "> 日付: 2024年6月10日\n> 宛先: tanaka@example.co.jp\n>\n> ",
    "thunderbird": "-------- Forwarded Message --------\nSubject: 注文\nDate: Mon, 10 Jun 2024\n"
    "From: 山田 <yamada@example.net>\nTo: tanaka@example.co.jp\n\n",
    "japanese": "-------- 転送メッセージ --------\n件名: 注文\n日付: 2024年6月10日\n"
    "差出人: 山田 <yamada@example.net>\n宛先: tanaka@example.co.jp\n\n",
}


@pytest.mark.parametrize("marker", FORWARDS.values(), ids=FORWARDS)
@pytest.mark.parametrize("subject", ["Fwd: 注文", "見積をお願いします", "Re: 注文"])
def test_what_was_passed_on_is_kept(marker: str, subject: str) -> None:
    said = written(f"見積をお願いします。\n\niPhoneから送信\n\n{marker}{OLD}\n-- \n山田", subject)
    assert OLD in said.new
    assert said.forwarded is not None
    assert (said.forwarded.sender, said.forwarded.subject) == ("yamada@example.net", "注文")
    assert said.first == "見積をお願いします。"


SIGNATURES = {
    "rfc": "-- \n田中 太郎\nTEL 03-1234-5678",
    "lines": "━━━━━━━━━━━━━━\n株式会社山田 営業部\n田中 太郎\nTEL: 03-1234-5678\n"
    "tanaka@example.co.jp\n━━━━━━━━━━━━━━",
    "mixed": "*:..｡o○☆ﾟ･:,｡*:..｡o○\n田中 太郎\nTEL 090-1234-5678\nhttps://example.co.jp/",
    "iphone": "iPhoneから送信",
    "english": "Sent from my iPhone",
    "outlook": "Outlook for iOS を入手",
    "list": "_______________________________________________\nSales mailing list\nhttps://example.com/",
    "notice": "----------\n本メールには機密情報が含まれる場合があります。",
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
@pytest.mark.parametrize(
    "after", ["", "\n\n2024/06/10 9:00、Miyabi <a@example.com>のメール:\n\n> 古い"]
)
def test_signatures_are_cut(signature: str, after: str) -> None:
    said = written(f"A-100 を 10 個\n\nよろしく\n\n{signature}{after}", "Re: 見積")
    cut = signature.replace("-- \n", "--\n")
    assert (said.new, said.signature) == ("A-100 を 10 個\n\nよろしく", cut)


def test_html_of_mail_programs() -> None:
    quoted = f"<blockquote type=cite><p>{OLD}</p></blockquote>"
    for html in (
        f"<div>承認</div><div>2024/06/10 9:00、Miyabi &lt;a@example.com&gt;のメール:</div>{quoted}",
        "<div dir=ltr>承認</div><br><div class=gmail_quote><div class=gmail_attr>Pada Sen, Miyabi "
        f"menulis:<br></div><blockquote class=gmail_quote>{OLD}</blockquote></div>",
        "<p>承認</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>差出人:</b> M &lt;a@b.example"
        "&gt;<br><b>送信日時:</b> 2024年<br><b>宛先:</b> T<br><b>件名:</b> 見積</p></div>"
        f"<p>{OLD}</p>",
        f"<style>p {{}}</style>承認<div name=quote>Gesendet<br>{OLD}</div><p style='display:none'>",
    ):
        said = written_html(html, "Re: 見積")
        assert (said.new, said.forwarded) == ("承認", None)
        assert OLD in said.quoted
    passed_on = written_html(
        "<div>お願いします</div><div class=gmail_quote><div class=gmail_attr>---------- Forwarded "
        "message ---------<br>From: <b>山田</b> &lt;y@example.net&gt;<br>Date: 6/10<br>Subject: "
        f"注文<br></div>{quoted}</div>",
        "Fwd: 注文",
    )
    assert passed_on.new.endswith(OLD)
    assert "\n>" not in passed_on.new
    assert passed_on.forwarded is not None
    assert passed_on.forwarded.sender == "y@example.net"


def test_anothers_words_are_never_the_persons_own() -> None:
    said = written_html("<blockquote type=cite>承認</blockquote>", "Fwd: Re: 見積")
    assert (said.new, said.first) == ("> 承認", "")
    assert written("> 承認\n", "Re: 見積").first == ""
    assert written(f"{HEADS['outlook ja']}\n\n承認\n", "Re: 見積").first == ""
    assert written("-- \n承認\n", "Re: 見積").first == ""


def test_html_as_it_is_seen() -> None:
    assert to_text("<p>a&nbsp;b</p><p>c<br>d</p><ul><li>e<li>f</ul>") == "a b\n\nc\nd\n\n- e\n- f"
    table = "<table><tr><td>A-100</td><td><p>10</p></td></tr><tr><td>B</td><td>2</td></tr></table>"
    assert to_text(f"見積<table><tr><td>外<td>{table}</table>") == "見積\n外\nA-100\t10\nB\t2"
    assert to_text("<script>x</script><pre>a\n  b</pre><!-- c --><span hidden>d</span>") == "a\n  b"
    assert to_text("<div>" * 5_000 + "見積") == "見積"


def test_lines_that_a_program_broke_are_joined() -> None:
    text = "A-100 を \n10 個\n> 前の \n> 行\n次 \n> 深い\n-- \n 田中"
    assert unflow(text, False) == "A-100 を 10 個\n> 前の 行\n次 \n> 深い\n-- \n田中"
    assert unflow("長い長い \n文", True) == "長い長い文"


NEAR = [
    *(line + "\n" for line in ATTRIBUTIONS.values()),
    *(line[:-1] + "\n" for line in ATTRIBUTIONS.values()),
    *(head + "\n" for head in HEADS.values()),
    *FORWARDS.values(),
    *(signature + "\n" for signature in SIGNATURES.values()),
    "> q\na\n",
    "--\n",
    "\n",
    "From: a\nTo: b\nDate: c\n",
    "On 2024/06/10 9:00, a\n",
    "-" * 500,
]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(NEAR) | st.text(max_size=20), max_size=25).map("".join),
    st.sampled_from([None, "Re: a", "Fwd: a", "見積"]),
)
def test_nothing_is_lost(text: str, subject: str | None) -> None:
    said = written(text, subject)
    parts = (said.new, said.quoted, said.signature)
    assert _lines("\n".join(parts)) == _lines(text.replace("\r\n", "\n").replace("\r", "\n"))
    written_html(text, subject)
    unflow(text, True)


def _lines(text: str) -> Counter[str]:
    return Counter(line.rstrip() for line in text.split("\n") if line.strip())


@pytest.mark.parametrize(
    "near", ["> q\na\n", "--\n", "From: a\nTo: b\nDate: c\n\n", NEAR[0], "<p>x"]
)
def test_time_grows_with_the_text(near: str) -> None:
    """By a count of the interpreter's steps: it does not depend on how busy the machine is."""
    once, four = (_steps(near * count) for count in (300, 1200))
    assert four < once * 5


def _steps(text: str) -> int:
    import sys

    seen = 0

    def count(*_: object) -> object:
        nonlocal seen
        seen += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        written(text, "Re: a")
        written_html(text, "Re: a")
    finally:
        sys.settrace(before)
    return seen


SIGNS = (
    "On ",
    "2024年6月10日",
    "田中",
    " wrote",
    "様のメール",
    "-----",
    "元のメッセージ",
    "_" * 12,
)
MORE = ("転送されたメッセージ", "Begin forwarded message", "差出人", "a@b.example", "> ", " ", ":")


@pytest.mark.parametrize("text", [*ATTRIBUTIONS.values(), "-----Original Message-----", "＞ 前"])
def test_no_line_that_begins_something_is_taken_for_a_plain_one(text: str) -> None:
    assert not is_plain(text.partition("\n")[0])


@given(st.lists(st.sampled_from([*SIGNS, *MORE]), max_size=6).map("".join))
@settings(max_examples=200)
def test_a_plain_line_is_nothing_else(line: str) -> None:
    if is_plain(line) and line.strip():
        found = (is_quoted(line), is_separator(line), is_rule(line), is_marker(line))
        assert not any(found)
        assert head([line], 0) is None
        assert attribution([line, "> quoted"], 0) is None
