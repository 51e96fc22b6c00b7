"""The command grammar, the same on every platform: which command a text is, and for which task."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from core.agent import Agent

Builtin = Literal[
    "help",
    "status",
    "cancel",
    "mine",
    "approve",
    "reject",
    "return",
    "undo",
    "approvals",
    "route",
    "comment",
    "question",
    "add",
    "forward",
    "circulate",
    "seen",
    "reduce",
    "revise",
    "retry",
    "void",
    "release",
    "drop",
    "delegate",
    "link",
    "unlink",
    "endings",
    "amounts",
    "notify",
]

WORDS: dict[Builtin, tuple[str, ...]] = {
    "help": ("help", "ヘルプ", "使い方", "帮助", "?"),
    "status": ("status", "状況", "状態", "进度", "状态"),
    "cancel": ("cancel", "取消", "取り消し", "取消し", "キャンセル", "取り下げ"),
    "mine": ("mine", "list", "一覧", "自分", "我的"),
    "approve": ("approve", "承認", "批准"),
    "reject": ("reject", "却下", "驳回"),
    "return": ("return", "差し戻し", "差戻し", "差戻", "退回"),
    "undo": ("undo", "承認取消", "承認取り消し", "撤销批准"),
    "approvals": ("approvals", "承認待ち", "承認一覧", "待审批", "待我审批"),
    "route": ("route", "承認経路", "承認ルート", "审批流程", "审批路径"),
    "comment": ("comment", "コメント", "留言", "评论"),
    "question": ("question", "質問", "提问"),
    "add": ("add", "承認者追加", "承認者を追加", "加签"),
    "forward": ("forward", "回付", "転送", "转交"),
    "circulate": ("circulate", "回覧", "传阅"),
    "seen": ("seen", "確認済み", "已阅"),
    "reduce": ("reduce", "減額", "减额"),
    "revise": ("revise", "修正", "訂正", "修改"),
    "retry": ("retry", "再実行", "やり直し", "重试"),
    "void": ("void", "無効", "作废"),
    "release": ("release", "保留解除", "放行"),
    "drop": ("drop", "破棄", "丢弃"),
    "delegate": ("delegate", "代理"),
    "link": ("link", "連携", "绑定", "关联"),
    "unlink": ("unlink", "連携解除", "連携を解除", "解绑", "解除绑定"),
    "endings": ("endings", "終了通知", "结束通知"),
    "amounts": ("amounts", "金額表示", "金额显示"),
    "notify": ("notify", "通知設定", "通知设置"),
}
_ALONE = frozenset({"link"})
"""Words that are commands only where nothing follows: `link cable 3 pcs` is a request."""
_WITH_TASK = frozenset({"release", "drop"})
"""Words that are commands only with a task and nothing else: `drop leaf table 3 pcs` is none."""

_BY_INITIAL: dict[str, list[tuple[str, Builtin]]] = {}
for _name, _words in WORDS.items():
    for _word in _words:
        _BY_INITIAL.setdefault(_word[0], []).append((_word, _name))

_PREFIX = re.compile(r"^\s*[/!／！]\s*miyabi(?=\s|$)[\s:：、,]*", re.IGNORECASE)
_REFERENCE = re.compile(r"^(?:#?(\d{1,18})|([A-Za-z]{1,4}-\d{4}-\d{4,}(?:-\d+)?))(?=$|[\s、,:：])")
_SPLIT = re.compile(r"[\s　:：、,]+")
_CLOSE_ENOUGH = 75
"""Score out of 100 from which a mistyped word is taken for an attempt at a command."""


@dataclass(frozen=True, slots=True)
class Target:
    """The task a command names: by its reference or by its document's number.

    `code`: the digits as they were typed, where they may be the code of an approval: those begin
    with 0, and have no # before them (core/approvals/codes.py).
    """

    reference: int | None = None
    number: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A text that was read. `name` is a builtin's or an agent's; None where it is unknown.

    `nearest` is what an unknown word may have been meant for. `guessed`: no word names the agent.
    `said` is all that follows the word of a builtin, its target included.
    """

    name: str | None
    is_agent: bool = False
    target: Target | None = None
    rest: str = ""
    nearest: str | None = None
    guessed: bool = False
    said: str = ""


def read_command(text: str, agents: Iterable[Agent]) -> Command:
    """Read a text that was said to Miyabi. Never raises."""
    text = _PREFIX.sub("", text).strip()
    known = list(agents)
    if not text:
        return Command("help")
    first, rest = _first_word(text)
    for word, name in _BY_INITIAL.get(first[:1], ()):
        if first == word or (first.startswith(word) and _names_task(first[len(word) :])):
            said = text[len(word) :].lstrip(" 　:：")
            if name in _ALONE and said:
                continue
            target, rest = read_target(said)
            if name in _WITH_TASK and (target is None or rest):
                continue
            return Command(name, target=target, rest=rest, said=fold(said))
    for agent in known:
        if first in agent.words:
            return Command(agent.name, is_agent=True, rest=rest)
    folded = fold(text)
    # 経費精算システムの見積 is a quotation: what may be asked for in free words comes first.
    for agent in sorted(known, key=lambda each: not each.takes_free_text):
        if any(word in folded for word in agent.words):
            return Command(agent.name, is_agent=True, rest=text)
    return _unknown(first, text, known)


def without_command_word(text: str, agent: Agent) -> str:
    """A request without the agent's own word in front of it."""
    first, rest = _first_word(text)
    return rest if first in agent.words and rest else text


def _unknown(first: str, text: str, agents: list[Agent]) -> Command:
    """A text with no known word: a slip of the keyboard, or free text for an agent."""
    spoken = [word for agent in agents for word in agent.words]
    spoken += [word for words in WORDS.values() for word in words if len(word) > 1]
    if len(first) > 2 and not any(character.isdigit() for character in first):
        match = process.extractOne(first, spoken, scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
        if match is not None:
            return Command(None, rest=text, nearest=match[0])
    if any(character.isdigit() for character in fold(text)) or len(_SPLIT.split(text)) > 1:
        for agent in agents:
            if agent.takes_free_text:
                return Command(agent.name, is_agent=True, rest=text, guessed=True)
    return Command(None, rest=text)


def read_target(text: str) -> tuple[Target | None, str]:
    """The task named at the start of a text, and what follows."""
    text = text.strip()
    folded = unicodedata.normalize("NFKC", text)
    match = _REFERENCE.match(folded)
    if match is None:
        return None, text
    rest = folded[match.end() :].lstrip(" 、,:：")
    if match[1]:
        code = match[1] if folded.startswith("0") else None
        return Target(reference=int(match[1]), code=code), rest
    return Target(number=match[2].upper()), rest


def fold(text: str) -> str:
    """Full-width and half-width, upper and lower case made one, for comparing words."""
    return unicodedata.normalize("NFKC", text).lower()


def _first_word(text: str) -> tuple[str, str]:
    parts = _SPLIT.split(text, maxsplit=1)
    return fold(parts[0]), parts[1] if len(parts) > 1 else ""


def _names_task(tail: str) -> bool:
    return bool(tail) and (tail[0] in "#＃" or tail[0].isdigit())
