"""Answers to what people did, and messages by an interaction's token."""

from tests.fakes.discord import limits, messages
from tests.fakes.discord.limits import Json
from tests.fakes.discord.state import Interaction, Message
from tests.fakes.discord.world import Answer, Ask, DiscordError, Operation

ANSWERS = {1: {1}, 2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5, 6, 7}}
"""The ways to answer each kind of interaction."""


def callback(ask: Ask) -> Answer:
    interaction = ask.world.interactions.get(ask.call.values["interaction_id"])
    token = ask.call.values["interaction_token"]
    if interaction is None or interaction.token != token:
        raise DiscordError(limits.UNKNOWN_INTERACTION)
    message = take(ask, interaction, ask.json)
    if ask.call.query.get("with_response", "").lower() not in ("1", "true"):
        return Answer(None, 204)
    shown: Json = {"id": interaction.id, "type": interaction.kind}
    if message is None:
        return Answer({"interaction": shown})
    shown |= {
        "response_message_id": message.id,
        "response_message_loading": message.loading,
        "response_message_ephemeral": message.only_for is not None,
    }
    if ask.json["type"] not in (4, 7):
        return Answer({"interaction": shown})
    resource = {"type": ask.json["type"], "message": message.shown()}
    return Answer({"interaction": shown, "resource": resource})


def take(ask: Ask, interaction: Interaction, given: Json) -> Message | None:
    """Do what an answer says; gives the message it is about."""
    if interaction.answered:
        raise DiscordError(limits.ALREADY_ANSWERED)
    if ask.world.now() - interaction.at > ask.world.answer_seconds:
        raise DiscordError(limits.UNKNOWN_INTERACTION)
    kind, data = given["type"], given.get("data") or {}
    if kind not in ANSWERS[interaction.kind]:
        ask.refuse([f"interaction of type {interaction.kind} answered with {kind}"])
    if kind in (6, 7) and interaction.source is None:
        ask.refuse([f"answer {kind}, but there is no message"])
    message = None
    if kind in (4, 5):
        private = bool((data.get("flags") or 0) & limits.EPHEMERAL)
        only_for = interaction.user.id if private else None
        message = messages.write(
            ask, interaction.channel, data, only_for=only_for, loading=kind == 5
        )
        message.interaction, interaction.original = interaction.id, message
    elif kind in (6, 7):
        message = interaction.original = interaction.source
        if kind == 7 and message is not None:
            messages.rewrite(ask, interaction.channel, message, data)
    interaction.callbacks.append(given)
    return message


def _by_token(ask: Ask) -> Interaction:
    """The interaction whose token is in the call. Raises where it is over, or not answered yet."""
    interaction = ask.world.by_token(ask.call.values["webhook_token"])
    if interaction is None or ask.call.values["webhook_id"] != ask.world.application_id:
        raise DiscordError(limits.UNKNOWN_WEBHOOK)
    if ask.world.now() - interaction.at > limits.TOKEN_SECONDS:
        raise DiscordError(limits.INVALID_TOKEN)
    if not interaction.answered:
        raise DiscordError(limits.UNKNOWN_WEBHOOK)
    return interaction


def follow_up(ask: Ask) -> Answer:
    interaction = _by_token(ask)
    waiting = interaction.original
    if waiting is not None and waiting.loading:  # the first follow-up is the deferred answer
        return _changed(ask, interaction, waiting)
    private = bool((ask.json.get("flags") or 0) & limits.EPHEMERAL)
    only_for = interaction.user.id if private else None
    message = messages.write(ask, interaction.channel, ask.json, only_for=only_for)
    message.interaction = interaction.id
    interaction.followups.append(message)
    return Answer(message.shown())


def _changed(ask: Ask, interaction: Interaction, message: Message) -> Answer:
    messages.rewrite(ask, interaction.channel, message, ask.json)
    return Answer(message.shown())


def _message(ask: Ask) -> tuple[Interaction, Message]:
    interaction = _by_token(ask)
    name = ask.call.values.get("message_id", "@original")
    known = [interaction.original] if name == "@original" else interaction.messages
    for message in known:
        if message and not message.deleted and name in ("@original", message.id):
            return interaction, message
    raise DiscordError(limits.UNKNOWN_MESSAGE)


def update(ask: Ask) -> Answer:
    return _changed(ask, *_message(ask))


def get(ask: Ask) -> Answer:
    return Answer(_message(ask)[1].shown())


def delete(ask: Ask) -> Answer:
    _message(ask)[1].deleted = True
    return Answer(None, 204)


OPERATIONS: dict[str, Operation] = {
    "create_interaction_response": callback,
    "execute_webhook": follow_up,
    "update_original_webhook_message": update,
    "update_webhook_message": update,
    "get_original_webhook_message": get,
    "get_webhook_message": get,
    "delete_original_webhook_message": delete,
    "delete_webhook_message": delete,
}
