"""The modal that asks why, before something is rejected or sent back."""

import json
from dataclasses import replace
from uuid import UUID

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import limits
from bot.slack.api import ask
from bot.slack.door import Act, Door
from bot.slack.render import Json, cut, plain
from core import phrases
from core.approvals import deciding
from core.errors import Refused
from core.inbound import Click, Inbound, Spot
from core.intake import accept
from core.people import Person
from core.words import Language, Words

TITLES = {
    "reject": Words(ja="却下の理由", en="Reason to reject", zh="驳回理由"),
    "return": Words(ja="差し戻しの理由", en="Reason to send back", zh="退回理由"),
}
BUTTONS = {
    "reject": Words(ja="却下する", en="Reject", zh="驳回"),
    "return": Words(ja="差し戻す", en="Send back", zh="退回"),
}
REASON = Words(ja="理由", en="Reason", zh="理由")
HINT = Words(
    ja="依頼者に伝わります。", en="The requester will read this.", zh="申请人会看到此理由。"
)
CLOSE = Words(ja="閉じる", en="Close", zh="关闭")
LENGTH = 500


async def open_reason(
    door: Door, act: Act, person: Person, trigger: str, action: str, value: str
) -> None:
    """Ask for the reason, of whoever may decide. Raises Refused with why they may not."""
    try:
        approval_id = UUID(value)
    except ValueError as error:
        raise Refused(phrases.UNKNOWN_TASK.fill(target="?")) from error
    async with door.house.engine.connect() as connection:
        # Before anybody writes a reason in vain; the decision itself checks it all again.
        task, _ = await deciding.check(connection, person, approval_id)
    client = await door.client(act.team)
    view = _view(action, value, act, task.spoken, person.language)
    await ask(client.views_open(trigger_id=trigger, view=view))


def _view(action: str, value: str, act: Act, reference: str, language: Language) -> Json:
    where = {"channel": act.spot.channel, "thread": act.spot.thread}
    title = f"{reference} {TITLES[action].to(language)}"
    return {
        "type": "modal",
        "callback_id": "reason",
        "private_metadata": json.dumps({"action": action, "value": value, **where}),
        "title": plain(title, limits.VIEW_TITLE),
        "submit": plain(BUTTONS[action].to(language), limits.VIEW_TITLE),
        "close": plain(CLOSE.to(language), limits.VIEW_TITLE),
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": plain(REASON.to(language), 100),
                "hint": plain(HINT.to(language), 200),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "reason",
                    "multiline": True,
                    "max_length": LENGTH,
                },
            }
        ],
    }


async def submit_reason(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """Decide with the reason; the answer comes where the button was."""
    view = body["view"]
    asked = json.loads(view["private_metadata"])
    act = replace(act, spot=Spot(asked["channel"], asked["thread"]))
    reason = view["state"]["values"]["reason"]["reason"]["value"] or ""
    click = Click(asked["action"], asked["value"], reason)
    answer = await accept(
        door.house, Inbound(act.sender, act.spot, f"view:{view['id']}", click=click)
    )
    if answer.outcome == "unavailable" and answer.message is not None:
        await ack(response_action="errors", errors={"reason": cut(answer.message.text, 200)})
        return
    await ack()
    if answer.message is not None and not answer.repeated:
        door.later(door.whisper(act, answer.message))
