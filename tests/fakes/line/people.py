"""Who is there: the bot, people, groups; what they sent; and the tie to an account elsewhere."""

from tests.fakes.line.description import Json
from tests.fakes.line.state import Group, User
from tests.fakes.line.world import Answer, Ask, LineError, Operation


def _not_found() -> LineError:
    return LineError(404, "Not found")


def _group(ask: Ask) -> Group:
    values = ask.call.values
    group = ask.channel.groups.get(values.get("groupId") or values.get("roomId") or "")
    if group is None or not group.bot_in:
        raise _not_found()
    return group


def _user_json(user: User) -> Json:
    return {"displayName": user.name, "userId": user.id}


def bot_info(ask: Ask) -> Answer:
    channel = ask.channel
    return Answer(
        {
            "userId": channel.destination,
            "basicId": f"@{channel.id}",
            "displayName": channel.name,
            "chatMode": "bot",
            "markAsReadMode": "auto",
        }
    )


def profile(ask: Ask) -> Answer:
    user = ask.channel.users.get(ask.call.values["userId"])
    if user is None or not user.reached:
        raise _not_found()
    language = {"language": user.language} if user.language else {}
    return Answer(_user_json(user) | language)


def followers(ask: Ask) -> Answer:
    return Answer({"userIds": [user.id for user in ask.channel.users.values() if user.reached]})


def summary(ask: Ask) -> Answer:
    group = _group(ask)
    return Answer({"groupId": group.id, "groupName": group.name})


def member(ask: Ask) -> Answer:
    group, user = _group(ask), ask.call.values["userId"]
    if user not in group.members:
        raise _not_found()
    return Answer(_user_json(ask.channel.users[user]))


def member_count(ask: Ask) -> Answer:
    return Answer({"count": len(_group(ask).members)})


def leave(ask: Ask) -> Answer:
    _group(ask).bot_in = False
    return Answer({})


def content(ask: Ask) -> Answer:
    """The bytes of what a person sent; LINE keeps them for a while only."""
    found = ask.channel.contents.get(ask.call.values["messageId"])
    if found is None:
        raise _not_found()
    if found.ready_at > ask.world.now():
        return Answer({}, 202)
    return Answer(data=found.data, media_type=found.media_type)


def transcoding(ask: Ask) -> Answer:
    found = ask.channel.contents.get(ask.call.values["messageId"])
    if found is None:
        raise _not_found()
    ready = found.ready_at <= ask.world.now()
    return Answer({"status": "succeeded" if ready else "processing"})


def link_token(ask: Ask) -> Answer:
    user = ask.channel.users.get(ask.call.values["userId"])
    if user is None or not user.reached:
        raise LineError(400, "The user hasn't added the LINE Official Account as a friend")
    token = ask.channel.next("link")
    ask.channel.link_tokens[token] = user.id
    return Answer({"linkToken": token})


OPERATIONS: dict[str, Operation] = {
    "getBotInfo": bot_info,
    "getProfile": profile,
    "getFollowers": followers,
    "getGroupSummary": summary,
    "getGroupMemberProfile": member,
    "getRoomMemberProfile": member,
    "getGroupMemberCount": member_count,
    "getRoomMemberCount": member_count,
    "leaveGroup": leave,
    "leaveRoom": leave,
    "getMessageContent": content,
    "getMessageContentPreview": content,
    "getMessageContentTranscodingByMessageId": transcoding,
    "issueLinkToken": link_token,
}
