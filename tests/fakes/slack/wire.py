"""The JSON in which Slack shows its things to apps."""

import re
import uuid
from typing import Any

from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Channel, Message, UploadedFile, User, View, Workspace

_FORMS = re.compile(
    r"<(?:@[UW]\w+|#C\w+(?:\|[^>]*)?)>|https?://[^\s<>]+|[\w.+-]+@[\w-]+\.[\w.-]*\w"
)


def as_typed(words: str) -> str:
    """A person's words as Slack hands them on: & < > escaped, links and addresses marked up."""
    done, at = [], 0
    for match in _FORMS.finditer(words):
        done += [_escape(words[at : match.start()]), _marked_up(match[0])]
        at = match.end()
    return "".join([*done, _escape(words[at:])])


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _marked_up(form: str) -> str:
    if form.startswith("<"):
        return form
    return f"<{_escape(form)}>" if "://" in form else f"<mailto:{form}|{form}>"


def message_json(
    workspace: Workspace, message: Message, *, metadata: bool = False, replies: int = 0
) -> Json:
    """A message as methods and payloads show it. `replies` > 0 marks a thread's parent."""
    shown: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": workspace.team_id,
        "blocks": message.blocks,
    }
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": workspace.app_id}
    else:  # one id per message, however many events tell of it
        name = f"{workspace.team_id}/{message.channel}/{message.ts}"
        shown["client_msg_id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    if message.thread_ts or replies:
        shown["thread_ts"] = message.thread_ts or message.ts
    if replies:
        shown["reply_count"] = replies
    if message.edits:
        shown["edited"] = {"user": message.user, "ts": message.ts}
    if message.files:
        shown |= {"files": [file_json(f) for f in message.files], "upload": True}
        if not message.bot_id:
            shown["subtype"] = "file_share"
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": sorted(who), "count": len(who)}
            for name, who in message.reactions.items()
        ]
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def file_json(file: UploadedFile, ready: bool = True) -> Json:
    """A file; the type of one that Slack has not looked at yet is empty."""
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype if ready else "",
        "filetype": file.name.rpartition(".")[2] if ready else "",
        "size": file.length if file.home else len(file.data or b""),
        "mode": file.mode,
        "is_external": False,
        "permalink": f"https://files.example.com/{file.id}/{file.name}",
        "url_private": f"{file.home or 'https://files.example.com'}/private/{file.id}",
        "url_private_download": f"{file.home or 'https://files.example.com'}/private/{file.id}",
    }


def channel_json(workspace: Workspace, channel: Channel) -> Json:
    shown: Json = {
        "id": channel.id,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.private,
        "is_archived": channel.archived,
        "created": 1_764_000_000,
        "context_team_id": workspace.team_id,
    }
    if channel.kind == "im":
        return shown | {"user": next(iter(channel.members - {workspace.bot_user}))}
    member = workspace.bot_user in channel.members
    return shown | {"name": channel.name, "is_member": member}


def user_json(workspace: Workspace, user: User) -> Json:
    profile = {"real_name": user.name, "display_name": user.name}
    if user.email and "users:read.email" in workspace.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": workspace.team_id,
        "name": user.name,
        "real_name": user.name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "tz": user.tz,
        "tz_offset": 32_400,
        "locale": user.locale,
        "profile": profile,
    }


def view_json(workspace: Workspace, view: View) -> Json:
    """A view, with what Slack adds to it and what was typed into it so far."""
    added = {
        "id": view.id,
        "team_id": workspace.team_id,
        "state": {"values": view.typed},
        "hash": view.hash,
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    }
    defaults: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
    }
    return defaults | view.body | added


def with_ids(blocks: Any) -> list[Json]:
    """Blocks as Slack keeps them: those without a block id get one, elements an action id."""
    kept = []
    for number, given in enumerate(blocks or ()):
        block = {"block_id": f"auto{number}", **given}
        if block["type"] == "actions":
            block["elements"] = [
                {"action_id": f"auto{number}_{place}", **element}
                for place, element in enumerate(block["elements"])
            ]
        elif block["type"] == "input":
            block["element"] = {"action_id": f"auto{number}", **block["element"]}
        kept.append(block)
    return kept
