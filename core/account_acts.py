"""The commands about one's own account (連携, 連携解除, 終了通知) and about a group (金額表示)."""

import unicodedata

from core import accounts, chats, people
from core import linking_words as words
from core.commands import Command
from core.db import fetch_one
from core.errors import NotAllowed, Refused
from core.inbound import Answer
from core.linking import LASTS, make_code
from core.messages import Message
from core.request import Request
from core.unit import Unit
from core.words import lines

_ON = frozenset({"on", "yes", "オン", "はい", "する", "表示", "開", "开", "是", "有効", "有效"})
_OFF = frozenset({"off", "no", "オフ", "いいえ", "しない", "非表示", "関", "关", "否", "無効"})


def read_switch(text: str) -> bool | None:
    """On or off, in the languages spoken here; None for anything else."""
    said = unicodedata.normalize("NFKC", text).strip().lower()
    return True if said in _ON else False if said in _OFF else None


def in_company(request: Request) -> bool:
    """Whether others read what is said here, as far as we can tell."""
    spot = request.inbound.spot
    return spot.flat and spot.channel != request.inbound.sender.account


async def handle_link(work: Unit, request: Request, command: Command) -> Answer:
    """A code for another platform, told to whoever asks and to nobody else."""
    _not_by_program(request)
    if in_company(request):
        raise Refused(words.PRIVATELY)
    code = await make_code(work, request.house, request.person, actor=request.actor)
    said = words.CODE.fill(code=code.text, minutes=int(LASTS.total_seconds() // 60))
    message = Message(said.to(request.language), language=request.language)
    return Answer("told", message, private=True)


async def handle_unlink(work: Unit, request: Request, command: Command) -> Answer:
    """Cut the account that this is said from. The last one only where that is confirmed."""
    _not_by_program(request)
    sender, person = request.inbound.sender, request.person
    every = await people.accounts_of(work.connection, person.organisation_id, person.id)
    here = (sender.platform, sender.workspace, sender.account)
    others = [each for each in every if each.listens and each.key != here]
    if not others and read_switch(command.rest) is not True:
        warning = words.LAST_OF_ADMIN if person.may("admin") else words.LAST_ACCOUNT
        return request.say(warning, "told")
    await accounts.cut(work, person, sender, actor=request.actor)
    request.house.met.pop(sender, None)
    return request.say(words.UNLINKED)


def _not_by_program(request: Request) -> None:
    """A program that was given a token may not give itself further ways in, nor cut the person's.
    Raises NotAllowed."""
    if request.inbound.by_program:
        raise NotAllowed(words.NOT_FOR_PROGRAMS)


async def handle_endings(work: Unit, request: Request, command: Command) -> Answer:
    """Whether this account is told, at a cost, that what the person was asked has ended."""
    on = read_switch(command.rest)
    sender = request.inbound.sender
    if on is not None:
        await accounts.set_tells_ends(work, sender, on, actor=request.actor)
        return request.say(words.ENDS_ON if on else words.ENDS_OFF)
    row = await fetch_one(
        work.connection,
        "select tells_ends from accounts where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and external_id = :account",
        {
            "organisation_id": request.person.organisation_id,
            "platform": sender.platform,
            "workspace": sender.workspace,
            "account": sender.account,
        },
    )
    now = words.ENDS_ON if row is not None and row.tells_ends else words.ENDS_OFF
    return request.say(lines([now, words.ENDS_HOW]), "told")


async def handle_amounts(work: Unit, request: Request, command: Command) -> Answer:
    """Whether amounts are shown in the group in which this is said: for an admin to say."""
    if not in_company(request):
        raise Refused(words.NO_GROUP)
    sender, channel = request.inbound.sender, request.inbound.spot.channel
    chat = (request.person.organisation_id, sender.platform, sender.workspace, channel)
    on = read_switch(command.rest)
    if on is None:
        shown = await chats.shows_amounts(work.connection, *chat)
        now = words.AMOUNTS_ON if shown else words.AMOUNTS_OFF
        return request.say(lines([now, words.AMOUNTS_HOW]), "told")
    request.need_role("admin")
    await chats.set_amounts(work, *chat, on, actor=request.actor)
    return request.say(words.AMOUNTS_ON if on else words.AMOUNTS_OFF)
