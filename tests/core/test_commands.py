"""The command grammar: the same words on every platform, and no text that breaks it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands import WORDS, Target, read_command, read_target
from core.phrases import HELP
from core.words import LANGUAGES, Language
from miyabi.plugins import all_agents

AGENTS = list(all_agents().values())


@pytest.mark.parametrize(
    ("text", "name", "target", "rest"),
    [
        ("help", "help", None, ""),
        ("", "help", None, ""),
        ("/miyabi status #1042", "status", Target(reference=1042), ""),
        ("!miyabi status 1042", "status", Target(reference=1042), ""),
        ("状況 ＃１０４２", "status", Target(reference=1042), ""),
        ("承認1234", "approve", Target(reference=1234), ""),
        ("承認 ０４１２", "approve", Target(reference=412, code="0412"), ""),
        ("却下 0412 金額相違", "reject", Target(reference=412, code="0412"), "金額相違"),
        ("承認 #0412", "approve", Target(reference=412), ""),
        ("承認 Q-2026-0001", "approve", Target(number="Q-2026-0001"), ""),
        ("却下 #7 高すぎます", "reject", Target(reference=7), "高すぎます"),
        ("差し戻し 7、宛名が違います", "return", Target(reference=7), "宛名が違います"),
        ("return q-2026-0001-2 wrong", "return", Target(number="Q-2026-0001-2"), "wrong"),
        ("取消 1042", "cancel", Target(reference=1042), ""),
        ("我的", "mine", None, ""),
        ("revise #1 6 x monitor", "revise", Target(reference=1), "6 x monitor"),
        ("quote 4 x monitor", "quote", None, "4 x monitor"),
        ("見積：ABC商事 モニター5台", "quote", None, "ABC商事 モニター5台"),
        ("ABC商事 モニター5台", "quote", None, "ABC商事 モニター5台"),
        ("报价 显示器6台", "quote", None, "显示器6台"),
        ("経費：11/20 タクシー 2,340円", "expense", None, "11/20 タクシー 2,340円"),
        ("今月の経費です。11/20 電車 320円", "expense", None, "今月の経費です。11/20 電車 320円"),
        ("経費精算システム1式の見積", "quote", None, "経費精算システム1式の見積"),
        ("减额 #7 2 500 私用", "reduce", Target(reference=7), "2 500 私用"),
    ],
)
def test_a_command_is_read(text: str, name: str, target: Target | None, rest: str) -> None:
    command = read_command(text, AGENTS)

    assert (command.name, command.target, command.rest) == (name, target, rest)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("qoute", "quote"), ("statsu", "status"), ("cancle now", "cancel")],
)
def test_a_slip_of_the_keyboard_is_offered_the_nearest(text: str, nearest: str) -> None:
    command = read_command(text, AGENTS)

    assert (command.name, command.nearest) == (None, nearest)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    read_command(text, AGENTS)
    read_target(text)


@given(st.integers(1, 10**15), st.sampled_from(["#", "＃", "", " # "]))
def test_a_reference_reads_back(number: int, mark: str) -> None:
    target, _ = read_target(f"{mark}{number}".strip())

    assert target is None or target.reference == number


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_help_teaches_is_understood(language: Language) -> None:
    told = HELP.fill(agents="").to(language)
    lines = [line.removeprefix("• ") for line in told.splitlines() if line.startswith("• ")]
    spoken = [said for line in lines for said in re.split(r"[、/] ?", re.split("…|: ", line)[0])]
    taught = {read_command(each.strip(), AGENTS).name for each in spoken if each.strip()[:2]}

    assert None not in taught
    assert taught >= WORDS.keys() - {"help", "unlink", "endings", "amounts"}
