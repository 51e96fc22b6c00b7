"""Guilds, channels, threads, people, the application and its commands."""

from tests.fakes.discord import limits
from tests.fakes.discord.limits import Json
from tests.fakes.discord.state import Channel, Guild
from tests.fakes.discord.world import Answer, Ask, DiscordError, Operation


def me(ask: Ask) -> Answer:
    more = {"mfa_enabled": False, "verified": True, "email": None, "locale": "ja"}
    return Answer(ask.world.bot.shown() | more)


def application(ask: Ask) -> Answer:
    world = ask.world
    granted = world.granted_intents
    flags = (1 << 19 if granted & limits.MESSAGE_CONTENT else 0) | (
        1 << 15 if granted & limits.GUILD_MEMBERS else 0
    )
    return Answer(
        {
            "id": world.application_id,
            "name": "miyabi",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": world.user("owner").shown(),
            "team": None,
            "flags": flags,
            "rpc_origins": [],
            "summary": "",
        }
    )


def bot_gateway(ask: Ask) -> Answer:
    starts = {"total": 1000, "remaining": 999, "reset_after": 14400000, "max_concurrency": 1}
    url = f"{ask.world.base_url.replace('http', 'ws', 1)}/gateway"
    return Answer({"url": url, "shards": 1, "session_start_limit": starts})


def gateway(ask: Ask) -> Answer:
    return Answer({"url": f"{ask.world.base_url.replace('http', 'ws', 1)}/gateway"})


def guild_shown(ask: Ask, guild: Guild) -> Json:
    roles = [_role(guild.id, "@everyone"), *(_role(i, n) for i, n in guild.roles.items())]
    return {"id": guild.id, "name": guild.name, "roles": roles, "owner_id": "0", "features": []}


def _role(number: str, name: str) -> Json:
    return {"id": number, "name": name, "permissions": "2147483647", "position": 0, "flags": 0}


def _guild(ask: Ask) -> Guild:
    guild = ask.world.guilds.get(ask.call.values["guild_id"])
    if guild is None or not guild.has_bot:
        raise DiscordError(limits.UNKNOWN_GUILD)
    return guild


def get_guild(ask: Ask) -> Answer:
    return Answer(guild_shown(ask, _guild(ask)))


def my_guilds(ask: Ask) -> Answer:
    inside = [g for g in ask.world.guilds.values() if g.has_bot]
    return Answer([{"id": g.id, "name": g.name, "permissions": "2147483647"} for g in inside])


def guild_roles(ask: Ask) -> Answer:
    return Answer(guild_shown(ask, _guild(ask))["roles"])


def guild_channels(ask: Ask) -> Answer:
    world = ask.world
    found = [c for c in _guild(ask).channels.values() if not c.is_thread and not c.gone]
    return Answer([c.shown(world.bot.id, world.moment()) for c in found])


def member(ask: Ask) -> Answer:
    guild = _guild(ask)
    user = ask.world.users.get(ask.call.values["user_id"])
    if user is ask.world.bot:
        return Answer(ask.world.member_shown(guild, ask.world.bot))
    if user is None or user.id not in guild.members:
        raise DiscordError(limits.UNKNOWN_MEMBER)
    return Answer(ask.world.member_shown(guild, user))


def user(ask: Ask) -> Answer:
    found = ask.world.users.get(ask.call.values["user_id"])
    if found is None:
        raise DiscordError(limits.UNKNOWN_USER)
    return Answer(found.shown())


def create_dm(ask: Ask) -> Answer:
    found = ask.world.users.get(str(ask.json["recipient_id"]))
    if found is None:
        raise DiscordError(limits.UNKNOWN_USER)
    return Answer(ask.world.direct(found).shown(ask.world.bot.id, ask.world.moment()))


def get_channel(ask: Ask) -> Answer:
    return Answer(ask.channel(0).shown(ask.world.bot.id, ask.world.moment()))


def update_channel(ask: Ask) -> Answer:
    channel = ask.channel(0)
    channel.name = ask.json.get("name") or channel.name
    channel.archived = ask.json.get("archived", channel.archived)
    return Answer(channel.shown(ask.world.bot.id, ask.world.moment()))


def _thread(ask: Ask, parent: Channel, number: str, kind: int) -> Answer:
    thread = Channel(number, ask.json["name"], kind, parent.guild, parent.id)
    guild = ask.world.guild_of(parent)
    if guild is None:
        raise DiscordError(limits.MISSING_ACCESS)
    ask.world.channels[number] = guild.channels[number] = thread
    shown = thread.shown(ask.world.bot.id, ask.world.moment())
    ask.world.dispatch("THREAD_CREATE", shown | {"newly_created": True}, thread)
    return Answer(shown, 201)


def thread_from_message(ask: Ask) -> Answer:
    channel = ask.channel(limits.CREATE_PUBLIC_THREADS)
    message = channel.messages.get(ask.call.values["message_id"])
    if message is None or message.deleted:
        raise DiscordError(limits.UNKNOWN_MESSAGE)
    if message.thread is not None:
        raise DiscordError(limits.HAS_THREAD)
    message.thread = message.id
    return _thread(ask, channel, message.id, 11)


def create_thread(ask: Ask) -> Answer:
    kind = ask.json.get("type") or 12
    need = limits.CREATE_PRIVATE_THREADS if kind == 12 else limits.CREATE_PUBLIC_THREADS
    return _thread(ask, ask.channel(need), ask.world.next_id(), kind)


def add_to_thread(ask: Ask) -> Answer:
    ask.channel(limits.SEND_MESSAGES_IN_THREADS)
    return Answer(None, 204)


def typing(ask: Ask) -> Answer:
    ask.channel(limits.SEND_MESSAGES)
    return Answer(None, 204)


def _scope(ask: Ask) -> str | None:
    if ask.call.values["application_id"] != ask.world.application_id:
        raise DiscordError(limits.MISSING_ACCESS)
    scope = ask.call.values.get("guild_id")
    if scope is not None and scope not in ask.world.guilds:
        raise DiscordError(limits.UNKNOWN_GUILD)
    return scope


def list_commands(ask: Ask) -> Answer:
    return Answer(ask.world.commands.get(_scope(ask), []))


def set_commands(ask: Ask) -> Answer:
    """Replace all commands; those of the same name keep their id."""
    scope, given = _scope(ask), ask.call.body or []
    known = {(c["name"], c["type"]): c["id"] for c in ask.world.commands.get(scope, [])}
    made = []
    for command in given if isinstance(given, list) else [given]:
        kind = command.get("type") or 1
        number = known.get((command["name"], kind)) or ask.world.next_id()
        own: Json = {
            "id": number,
            "application_id": ask.world.application_id,
            "version": ask.world.next_id(),
            "default_member_permissions": None,
            "description": "",
        }
        made.append(own | {k: v for k, v in command.items() if v is not None} | {"type": kind})
        if scope is not None:
            made[-1]["guild_id"] = scope
    names = [(c["name"], c["type"]) for c in made]
    if len(names) != len(set(names)):
        ask.refuse(["two commands of one name"])
    ask.world.commands[scope] = made
    return Answer(made)


OPERATIONS: dict[str, Operation] = {
    "get_my_user": me,
    "get_my_oauth2_application": application,
    "get_my_application": application,
    "get_application": application,
    "get_bot_gateway": bot_gateway,
    "get_gateway": gateway,
    "get_guild": get_guild,
    "list_my_guilds": my_guilds,
    "list_guild_roles": guild_roles,
    "list_guild_channels": guild_channels,
    "get_guild_member": member,
    "get_user": user,
    "create_dm": create_dm,
    "get_channel": get_channel,
    "update_channel": update_channel,
    "create_thread": create_thread,
    "create_thread_from_message": thread_from_message,
    "add_thread_member": add_to_thread,
    "join_thread": add_to_thread,
    "trigger_typing_indicator": typing,
    "list_application_commands": list_commands,
    "list_guild_application_commands": list_commands,
    "bulk_set_application_commands": set_commands,
    "bulk_set_guild_application_commands": set_commands,
}

AS_DESCRIBED = {
    "get_bot_gateway",
    "get_user",
    "create_dm",
    "get_channel",
    "create_thread",
    "create_thread_from_message",
    "list_application_commands",
    "bulk_set_application_commands",
}
