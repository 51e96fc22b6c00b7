"""The bodies that Slack sends to an app, in the shapes of the recorded samples."""

import time
import uuid
from typing import Any

from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Channel, Message, View, Workspace
from tests.fakes.slack.wire import message_json, view_json
from tests.fakes.slack.world import World

_TOKEN = "legacy-verification-token"


def event(workspace: Workspace, inner: Json) -> Json:
    """The envelope of an event, with an event id of its own."""
    bot = {"team_id": workspace.team_id, "user_id": workspace.bot_user, "is_bot": True}
    return {
        "token": _TOKEN,
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": workspace.next("Ev"),
        "event_time": int(time.time()),
        "authorizations": [{"enterprise_id": None, "is_enterprise_install": False, **bot}],
        "is_ext_shared_channel": False,
        "event_context": f"4-{uuid.uuid4()}",
    }


def message_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    """A message someone wrote, as the event `message`."""
    kinds = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}
    inner = {
        **message_json(workspace, message),
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": kinds[channel.kind],
    }
    if not message.bot_id:
        inner["blocks"] = rich_text(message.text)
    return event(workspace, inner)


def mention_event(workspace: Workspace, channel: Channel, message: Message) -> Json:
    """The same message as the event `app_mention`: no channel type, no metadata."""
    body = message_event(workspace, channel, message)
    body["event"]["type"] = "app_mention"
    del body["event"]["channel_type"]
    return body


def rich_text(words: str) -> list[Json]:
    """What the composer makes of typed words."""
    inner = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return [{"type": "rich_text", "block_id": "composer", "elements": [inner]}]


def slash(world: World, workspace: Workspace, user: str, channel: Channel, **said: str) -> Json:
    """The form of a slash command; `said` holds command and text."""
    direct = channel.kind == "im"
    return {
        "token": _TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if direct else channel.name,
        "user_id": user,
        "user_name": workspace.user(user).name,
        **said,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": world.response_url(workspace, user, channel.id),
        "trigger_id": world.trigger(workspace, user),
    }


def interaction(world: World, workspace: Workspace, kind: str, user: str) -> Json:
    """What all interactive payloads share."""
    name = workspace.user(user).name
    who = {"id": user, "username": name, "name": name, "team_id": workspace.team_id}
    return {
        "type": kind,
        "token": _TOKEN,
        "api_app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": who,
        "trigger_id": world.trigger(workspace, user),
    }


def place(world: World, workspace: Workspace, where: Message | View, user: str) -> Json:
    """The part of an interactive payload that says on what a person acted."""
    if isinstance(where, View):
        return {
            "container": {"type": "view", "view_id": where.id},
            "view": view_json(workspace, where),
        }
    channel = workspace.channels[where.channel]
    ephemeral = where.only_for is not None
    url = world.response_url(workspace, user, channel.id, None if ephemeral else where.ts)
    container: Json = {"type": "message", "message_ts": where.ts, "channel_id": channel.id}
    container |= {"is_ephemeral": ephemeral}
    if where.thread_ts:
        container["thread_ts"] = where.thread_ts
    shown: Json = {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "response_url": url,
        "state": {"values": {}},
    }
    return shown if ephemeral else shown | {"message": message_json(workspace, where)}


def action(block: Json, element: Json, chosen: Any = None) -> Json:
    """One entry of `actions`: a button pressed or a choice made."""
    acted: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }
    if element["type"] == "button":
        acted["text"] = element["text"]
        return acted | ({"value": element["value"]} if "value" in element else {})
    return acted | {"selected_option": chosen}
