"""The methods that read people and conversations, and those that open a way in: auth, OAuth."""

import base64

from tests.fakes.slack.chat import channel_of
from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Channel, Message
from tests.fakes.slack.wire import channel_json, message_json, user_json
from tests.fakes.slack.world import Ask, Method, SlackError, World


def auth_test(ask: Ask) -> Json:
    workspace = ask.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "user": "miyabi",
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def open_conversation(ask: Ask) -> Json:
    if ask.args.get("channel"):
        return {"channel": {"id": channel_of(ask, ask.args["channel"]).id}}
    names = [name for name in (ask.args.get("users") or "").split(",") if name]
    if not names:
        raise SlackError("users_list_not_supplied")
    for name in names:
        if name not in ask.workspace.users:
            raise SlackError("user_not_found")
    if len(names) == 1:
        return {"channel": {"id": ask.workspace.dm(names[0]).id}}
    channel_id = "G" + "".join(sorted(names))
    channel = Channel(channel_id, channel_id, "mpim", {*names, ask.workspace.bot_user})
    ask.workspace.channels.setdefault(channel_id, channel)
    return {"channel": {"id": channel_id}}


def replies(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    thread = ask.workspace.thread(channel.id, ask.args["ts"])
    if not thread:
        raise SlackError("thread_not_found")
    return _page(ask, _shown(ask, channel, thread), "messages", 1000)


def history(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    oldest, latest = ask.args.get("oldest") or "0", ask.args.get("latest") or "9"
    inclusive = ask.args.get("inclusive")
    top = [
        message
        for message in channel.messages.values()
        if message.thread_ts in (None, message.ts)
        and not message.deleted
        and (oldest < message.ts < latest or (inclusive and message.ts in (oldest, latest)))
    ]
    return _page(ask, _shown(ask, channel, top[::-1]), "messages", 100)


def _shown(ask: Ask, channel: Channel, messages: list[Message]) -> list[Json]:
    metadata = bool(ask.args.get("include_all_metadata"))
    every = channel.messages.values()
    return [
        message_json(
            ask.workspace,
            message,
            metadata=metadata,
            replies=sum(m.thread_ts == message.ts and not m.deleted for m in every),
        )
        for message in messages
    ]


def _page(ask: Ask, rows: list[Json] | list[str], name: str, usual: int) -> Json:
    """One page of a list; the cursor says where the next begins."""
    limit, cursor = int(ask.args.get("limit") or usual), ask.args.get("cursor")
    try:
        start = int(base64.b64decode(cursor)) if cursor else 0
    except ValueError:
        raise SlackError("invalid_cursor") from None
    more = len(rows) > start + limit
    after = base64.b64encode(str(start + limit).encode()).decode() if more else ""
    shown: Json = {name: rows[start : start + limit], "response_metadata": {"next_cursor": after}}
    return shown | ({"has_more": more} if name == "messages" else {})


def conversation_info(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"], member=False)
    shown = channel_json(ask.workspace, channel)
    if ask.args.get("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def members(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"], member=False)
    return _page(ask, sorted(channel.members), "members", 100)


def user_info(ask: Ask) -> Json:
    user = ask.workspace.users.get(ask.args["user"])
    if user is None:
        raise SlackError("user_not_found")
    shown = user_json(ask.workspace, user)
    if not ask.args.get("include_locale"):
        del shown["locale"]
    return {"user": shown}


def user_by_email(ask: Ask) -> Json:
    for user in ask.workspace.users.values():
        if user.email == ask.args["email"] and not user.deleted:
            return {"user": user_json(ask.workspace, user)}
    raise SlackError("users_not_found")


def oauth_access(world: World, args: Json) -> Json:
    """oauth.v2.access: a code, once, for a workspace's token. Needs no token itself."""
    if args.get("client_id") != world.client_id:
        raise SlackError("invalid_client_id")
    if args.get("client_secret") != world.client_secret:
        raise SlackError("bad_client_secret")
    workspace = world.oauth_codes.pop(args.get("code") or "", None)
    if workspace is None:
        raise SlackError("invalid_code")
    return {
        "access_token": workspace.bot_token,
        "token_type": "bot",
        "scope": ",".join(sorted(workspace.scopes)),
        "bot_user_id": workspace.bot_user,
        "app_id": world.app_id,
        "team": {"id": workspace.team_id, "name": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": next(iter(workspace.users), "U0INSTALLER")},
    }


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "conversations.open": open_conversation,
    "conversations.replies": replies,
    "conversations.history": history,
    "conversations.info": conversation_info,
    "conversations.members": members,
    "users.info": user_info,
    "users.lookupByEmail": user_by_email,
}
