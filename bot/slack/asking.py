"""The modals in front of an act on an approval: the reason, the words, the person, the step."""

import json
from dataclasses import dataclass, replace

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.slack import limits
from bot.slack.door import Act, Door
from bot.slack.render import Json, cut, option, plain
from core.approvals.asking import ASKS, places, subject
from core.approvals.card import LABELS
from core.inbound import Click, Inbound, Spot
from core.intake import accept
from core.people import Person
from core.words import Language, Words

LENGTH = 500

CLOSE = Words(ja="閉じる", en="Close", zh="关闭")
TO = Words(ja="差し戻し先", en="Send back to", zh="退回给")
WHO = Words(ja="だれに", en="Whom", zh="人员")
_READ_BY_REQUESTER = Words(
    ja="依頼者に伝わります。", en="The requester will read this.", zh="申请人会看到此内容。"
)
_ON_THE_CARD = Words(
    ja="承認カードに載ります。", en="It stands on the card.", zh="会显示在审批卡上。"
)
_REASON = Words(ja="理由", en="Reason", zh="理由")
_WORDS = Words(ja="内容", en="What to say", zh="内容")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a modal says; `label` None: it asks for no words."""

    label: Words | None
    hint: Words


_KINDS = {
    "reject": _Kind(_REASON, _READ_BY_REQUESTER),
    "return": _Kind(_REASON, _READ_BY_REQUESTER),
    "comment": _Kind(_WORDS, _ON_THE_CARD),
    "question": _Kind(_WORDS, _READ_BY_REQUESTER),
    "add": _Kind(None, _ON_THE_CARD),
    "forward": _Kind(_WORDS, _ON_THE_CARD),
}


async def prepare(
    connection: AsyncConnection, act: Act, person: Person, action: str, value: str
) -> Json:
    """The modal, for whoever may do this. Raises Refused with why they may not."""
    about = await subject(connection, person, action, value)
    language = person.language
    options = []
    if ASKS[action].step:
        options = [option(str(place), who.to(language)) for place, who in places(about)]
    return _view(action, value, act, about.reference, language, options)


def _view(
    action: str, value: str, act: Act, reference: str, language: Language, options: list[Json]
) -> Json:
    kind = _KINDS[action]
    where = {"channel": act.spot.channel, "thread": act.spot.thread}
    label = LABELS[action].to(language)
    blocks = []
    if len(options) > 1:
        menu = {"type": "static_select", "options": options, "initial_option": options[0]}
        blocks.append(_input("to", TO.to(language), menu))
    if ASKS[action].person:
        blocks.append(_input("person", WHO.to(language), {"type": "users_select"}))
    if kind.label is not None:
        text = {"type": "plain_text_input", "multiline": True, "max_length": LENGTH}
        blocks.append(_input("reason", kind.label.to(language), text))
    blocks[-1]["hint"] = plain(kind.hint.to(language), 200)
    return {
        "type": "modal",
        "callback_id": "asking",
        "private_metadata": json.dumps({"action": action, "value": value, **where}),
        "title": plain(f"{reference} {label}", limits.VIEW_TITLE),
        "submit": plain(label, limits.VIEW_TITLE),
        "close": plain(CLOSE.to(language), limits.VIEW_TITLE),
        "blocks": blocks,
    }


def _input(name: str, label: str, element: Json) -> Json:
    element = {**element, "action_id": name}
    return {"type": "input", "block_id": name, "label": plain(label, 100), "element": element}


async def submit(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """Do it; the answer comes where the button was."""
    view = body["view"]
    asked = json.loads(view["private_metadata"])
    act = replace(act, spot=Spot(asked["channel"], asked["thread"]))
    click = _click(asked["action"], asked["value"], view["state"]["values"])
    answer = await accept(
        door.house, Inbound(act.sender, act.spot, f"view:{view['id']}", click=click)
    )
    if answer.outcome == "unavailable" and answer.message is not None:
        first = view["blocks"][0]["block_id"]
        await ack(response_action="errors", errors={first: cut(answer.message.text, 200)})
        return
    await ack()
    if answer.message is not None and not answer.repeated:
        door.later(door.whisper(act, answer.message))


def _click(action: str, value: str, typed: Json) -> Click:
    """What was typed and chosen, as the act takes it: whom it concerns stands before the words."""
    words = _typed(typed, "reason", "value")
    person = _typed(typed, "person", "selected_user")
    to = (typed.get("to") or {}).get("to", {}).get("selected_option") or {}
    place = int(to.get("value") or 0)
    reason = f"@{person} {words}".strip() if person else words
    return Click(action, value, reason, place or None)


def _typed(typed: Json, name: str, key: str) -> str:
    return str((typed.get(name) or {}).get(name, {}).get(key) or "")
