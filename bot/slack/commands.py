"""The slash command: taken in, and answered in the body of the HTTP answer."""

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import typed
from bot.slack.door import Act, Door, reply
from bot.slack.modal import open_form
from bot.slack.render import Json
from core import phrases
from core.errors import MiyabiError
from core.house import House
from core.inbound import Inbound
from core.intake import accept
from core.messages import Button, Message
from core.words import Language

log = structlog.get_logger()


async def on_command(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """`/miyabi …`: only the sender sees the answer; a task's news come in its thread."""
    text = typed.words(str(body.get("text") or ""))
    # Slack gives each use of a command a trigger of its own.
    key = f"slash:{body['trigger_id']}"
    answer = await accept(door.house, Inbound(act.sender, act.spot, key, text))
    if answer.opens is None:
        await ack(reply(answer.message)) if answer.message else await ack()
        return
    language: Language = "ja"
    try:
        person = await door.person(act)
        assert person is not None  # noqa: S101  # strangers are not offered a form
        language = person.language
        await open_form(door, act, person, body["trigger_id"], answer.opens)
    except MiyabiError as error:
        log.warning("slack.form_not_opened", why=str(error))
        await ack(reply(how_to_ask(door.house, answer.opens, language)))
    else:
        await ack()


def how_to_ask(house: House, agent: str, language: Language) -> Message:
    """How to ask an agent in words, with a button that opens its form."""
    words = phrases.HOW_TO_ASK.fill(example=house.agent(agent).example).to(language)
    button = Button("open", phrases.OPEN_FORM.to(language), agent, "primary")
    return Message(words, body=words, buttons=(button,), language=language)
