"""`miyabi chat --as-line`: the LINE flow as a program types it."""

import re

from tests.miyabi.terminal import open_terminal

TYPED = """見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25
/as 鈴木花子
/press 承認
/in 営業部
みなさんこんにちは
/press 999
/nothing
"""


def test_a_quotation_is_asked_for_and_approved_as_in_line_without_an_account() -> None:
    hasty = {"LINE_GATHER_SECONDS": "0.1", "LINE_FIRST_ANSWER_SECONDS": "0.3"}
    with open_terminal(running=False) as terminal:
        done = terminal.run("chat", "--as-line", typed=TYPED, **hasty)
        kept = (terminal.home / "as-line").is_dir()
    assert done.code == 0, done.out + done.err
    assert kept, "its data is apart from the installation's own"
    asked, approved = done.out.split("LINEで 鈴木 花子 さん")
    assert "── 田中 太郎  返信・無料" in asked
    # Whether who asked is told first, or who decides, is for whichever conversation is ready first.
    assert re.search(r"── 鈴木 花子  プッシュ・1通（今月 [12]/200）", asked)
    assert "合計（税込）  244,200円" in asked
    assert "] 承認\n" in asked
    assert "── 鈴木 花子  返信・無料" in approved
    assert "発行しました" in approved
    assert "http://127.0.0.1:" in approved  # the document's link, on this machine
    assert "「999」" in done.err
    assert "/nothing" in done.err
