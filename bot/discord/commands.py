"""`/miyabi …`: what Discord is told of it, and what was typed into it. Pure.

Every agent is a subcommand of its own, with its form's fields as options: a customer and an item
are found as they are typed. Whoever gives none of them is shown a form.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bot.discord import limits
from bot.discord.text import plain
from core.agent import Agent
from core.commands import WORDS
from core.forms import REPEATED, FormField, FormSpec, FormValues, LineEntry, typed_amount
from core.reading.dates import read_date
from core.words import Language, Words

Json = dict[str, Any]

NAME = "miyabi"
TEXT = "text"

SUB, STRING = 1, 3
"""Kinds of options (docs.discord.com, application command option type)."""

ABOUT = Words(
    ja="見積・経費・承認などを依頼します",
    en="Ask for quotes, expenses, approvals and more",
    zh="请求报价、费用、审批等",
)
IN_WORDS = Words(ja="文章でまとめて依頼する", en="Ask for it in words", zh="用文字描述请求")
SAY = Words(
    ja="そのほかの命令を文字で（例: 取消 #1042）",
    en="Any other command in words (such as: cancel #1042)",
    zh="用文字输入其他命令（例: 取消 #1042）",
)
REFERENCE = Words(ja="番号（例: 1042）", en="Number (such as 1042)", zh="编号（例: 1042）")
STATUS = Words(ja="状況を見る", en="See how it stands", zh="查看进度")
APPROVALS = Words(ja="承認待ちを見る", en="See what waits for you", zh="查看待审批")
HELP = Words(ja="使い方を見る", en="See how it works", zh="查看用法")
NOTIFY = Words(ja="通知の設定", en="Your notifications", zh="通知设置")
SETTING = Words(
    ja="設定（例: quiet 22:00-8:00）",
    en="What to set (such as: quiet 22:00-8:00)",
    zh="设置（例: quiet 22:00-8:00）",
)
FROM = Words(ja="これで依頼: {name}", en="Ask from this: {name}", zh="据此请求: {name}")
ITEM = Words(ja="品目", en="Item", zh="品目")
QUANTITY = Words(ja="数量", en="Quantity", zh="数量")

_LINE = (FormField("item", "customer", ITEM), FormField("quantity", "text", QUANTITY))
_QUICK = "quote"
"""The agent whose form a message's words are most often for."""


def commands(agents: Iterable[Agent]) -> list[Json]:
    """All that Discord shows: the command, and for every agent one on messages (five at most)."""
    known = list(agents)
    builtin = [
        _sub("status", STATUS, [_option("reference", REFERENCE)]),
        _sub("approvals", APPROVALS, []),
        _sub("help", HELP, []),
        _sub("notify", NOTIFY, [_option("setting", SETTING)]),
        _sub("say", SAY, [_option(TEXT, SAY) | {"required": True}]),
    ]
    subs = [_sub(agent.name, agent.title, _options(agent)) for agent in known if asks(agent)]
    chat = {
        "name": NAME,
        "type": 1,
        **_described(ABOUT),
        "options": (subs + builtin)[:25],
        "contexts": [0, 1],
        "integration_types": [0],
    }
    return [chat, *(_on_message(agent) for agent in known[:5] if asks(agent))]


def asks(agent: Agent) -> bool:
    """Whether people ask for it in chat."""
    return bool(agent.words) and len(agent.name) <= 32


def message_command(agent: Agent, language: Language = "ja") -> str:
    """What is shown beside a message."""
    return plain(FROM.fill(name=agent.title).to(language), 32)


def _on_message(agent: Agent) -> Json:
    return {
        "name": message_command(agent, "en"),
        "name_localizations": {
            "ja": message_command(agent, "ja"),
            "zh-CN": message_command(agent, "zh"),
        },
        "type": 3,
        "contexts": [0, 1],
        "integration_types": [0],
    }


def _sub(name: str, words: Words, options: list[Json]) -> Json:
    return {"type": SUB, "name": name, **_described(words), "options": options}


def _option(name: str, words: Words, *, finds: bool = False) -> Json:
    found: Json = {"type": STRING, "name": name, **_described(words)}
    return found | {"autocomplete": True} if finds else found


def _described(words: Words) -> Json:
    return {
        "description": plain(words.en, limits.COMMAND_TEXT),
        "description_localizations": {
            "ja": plain(words.ja, limits.COMMAND_TEXT),
            "zh-CN": plain(words.zh, limits.COMMAND_TEXT),
        },
    }


def _options(agent: Agent) -> list[Json]:
    found = [_of_field(field) for field in fields_of(agent.form)]
    return [*found[:24], _option(TEXT, IN_WORDS)]


def fields_of(spec: FormSpec | None) -> list[FormField]:
    """The fields that are options: those of one row where a form has rows."""
    found: list[FormField] = []
    for field in spec.fields if spec is not None else ():
        found += row_of(field) if field.kind in REPEATED else (field,)
    return [field for field in found if field.name != TEXT]


def row_of(field: FormField) -> tuple[FormField, ...]:
    """What stands in a row of a field with rows."""
    return _LINE if field.kind == "lines" else field.rows


def _of_field(field: FormField) -> Json:
    option = _option(field.name, field.label, finds=field.kind == "customer")
    if field.kind == "choice" and 0 < len(field.choices) <= limits.CHOICES:
        option["choices"] = [
            {
                "name": plain(choice.label.en, limits.CHOICE_TEXT),
                "name_localizations": {
                    "ja": plain(choice.label.ja, limits.CHOICE_TEXT),
                    "zh-CN": plain(choice.label.zh, limits.CHOICE_TEXT),
                },
                "value": choice.value,
            }
            for choice in field.choices
        ]
    return option


# What was typed


def chosen(data: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The subcommand of `/miyabi`, and its options by name."""
    subs = data.get("options") or ()
    if not subs:
        return "help", {}
    options = subs[0].get("options") or ()
    return str(subs[0]["name"]), {each["name"]: str(each.get("value", "")) for each in options}


def focused(data: Mapping[str, Any]) -> tuple[str, str]:
    """What is being typed, and into which option."""
    subs = data.get("options") or ()
    for each in (subs[0].get("options") or ()) if subs else ():
        if each.get("focused"):
            return str(each["name"]), str(each.get("value") or "")
    return "", ""


def words_of(sub: str, options: Mapping[str, str]) -> str:
    """A builtin command as it would be typed."""
    if sub == "say":
        return options.get(TEXT, "")
    said = options.get("reference") or options.get("setting") or options.get(TEXT) or ""
    word = WORDS[sub][0] if sub in WORDS else sub
    if sub == "status" and said and not said.startswith("#") and said.isdecimal():
        said = f"#{said}"
    return f"{word} {said}".strip()


def form_values(spec: FormSpec, options: Mapping[str, str], today: date) -> FormValues:
    """The options as the form's values, a row where the form has rows."""
    values: dict[str, object] = {}
    for field in spec.fields:
        if field.kind not in REPEATED:
            values[field.name] = _value(field, options.get(field.name, ""), today)
            continue
        row = {each.name: options.get(each.name, "") for each in row_of(field)}
        if not any(row.values()):
            values[field.name] = ()
        elif field.kind == "lines":
            values[field.name] = (LineEntry(row["item"], row["quantity"].strip()),)
        else:
            values[field.name] = (
                {each.name: _value(each, row[each.name], today) for each in row_of(field)},
            )
    return values


def _value(field: FormField, typed: str, today: date) -> object:
    if field.kind == "date":
        return read_date(typed, today) if typed.strip() else None
    if field.kind == "amount":
        return typed_amount(typed) if typed.strip() else None
    return typed
