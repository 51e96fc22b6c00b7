"""The modals: a request in words, and what an act on an approval needs. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.discord import limits
from bot.discord.custom_ids import custom_id
from bot.discord.text import plain
from core.agent import Agent
from core.approvals.asking import ASKS
from core.approvals.card import LABELS
from core.words import Language, Words

Json = dict[str, Any]

ASK, EDIT, ACT = "form", "edit", "act"
"""What a modal is for: the beginning of its custom id, before the agent, the task or the act."""
LENGTH = 500

REQUEST = Words(ja="依頼内容", en="What you need", zh="请求内容")
TO = Words(ja="差し戻し先", en="Send back to", zh="退回给")
WHO = Words(ja="だれに", en="Whom", zh="人员")
READ_BY_REQUESTER = Words(
    ja="依頼者に伝わります。", en="The requester will read this.", zh="申请人会看到此内容。"
)
ON_THE_CARD = Words(
    ja="承認カードに載ります。", en="It stands on the card.", zh="会显示在审批卡上。"
)
REASON = Words(ja="理由", en="Reason", zh="理由")
WHAT = Words(ja="内容", en="What to say", zh="内容")

_CARD = frozenset({"comment", "add", "forward"})


def request_modal(agent: Agent, language: Language, about: str, said: str = "") -> Json:
    """A request to an agent in words; `about` is what the modal's id says of it."""
    field = {
        "type": 4,
        "custom_id": "words",
        "style": 2,
        "required": True,
        "max_length": limits.MODAL_TEXT,
        "placeholder": plain(agent.example.to(language), limits.MODAL_HINT),
        **({"value": said[: limits.MODAL_TEXT]} if said else {}),
    }
    return {
        "custom_id": about[: limits.CUSTOM_ID],
        "title": plain(agent.title.to(language), limits.MODAL_TITLE),
        "components": [_label(REQUEST.to(language), field)],
    }


def act_modal(
    action: str,
    value: str,
    reference: str,
    language: Language,
    steps: Sequence[tuple[int, Words]],
) -> Json:
    """What an act on an approval lacks: the step, the person, the words."""
    asks, label = ASKS[action], LABELS[action].to(language)
    hint = (ON_THE_CARD if action in _CARD else READ_BY_REQUESTER).to(language)
    parts = []
    if asks.step and len(steps) > 1:
        options = [
            {
                "label": plain(words.to(language), limits.OPTION_TEXT),
                "value": str(place),
                "default": n == 0,
            }
            for n, (place, words) in enumerate(steps[: limits.OPTIONS])
        ]
        menu = {"type": 3, "custom_id": "to", "options": options, "required": True}
        parts.append(_label(TO.to(language), menu))
    if asks.person:
        users = {"type": 5, "custom_id": "person", "min_values": 1, "max_values": 1}
        parts.append(_label(WHO.to(language), users | {"required": True}))
    if asks.words:
        words = REASON if action in {"reject", "return"} else WHAT
        field = {
            "type": 4,
            "custom_id": "reason",
            "style": 2,
            "max_length": LENGTH,
            "required": True,
        }
        parts.append(_label(words.to(language), field))
    parts[-1]["description"] = plain(hint, limits.MODAL_HINT)
    return {
        "custom_id": custom_id(ACT, f"{action}:{value}"),
        "title": plain(f"{reference} {label}", limits.MODAL_TITLE),
        "components": parts,
    }


def _label(words: str, component: Json) -> Json:
    return {"type": 18, "label": plain(words, limits.MODAL_LABEL), "component": component}


def typed(data: Mapping[str, Any]) -> dict[str, str]:
    """What was typed and chosen, by the field's name: of a label, and of the rows of old forms."""
    found: dict[str, str] = {}
    for part in data.get("components") or ():
        inside = [part["component"]] if part.get("component") else part.get("components") or ()
        for each in inside:
            values = each.get("values")
            value = values[0] if values else each.get("value")
            found[str(each.get("custom_id") or "")] = str(value or "")
    return found
