"""Deciding by a code that was typed (core/approvals/codes.py)."""

from collections.abc import Sequence
from uuid import UUID

from core.approvals import bulk
from core.approvals.codes import coded
from core.approvals.standing import check_open, check_right
from core.commands import Command
from core.errors import NotAllowed
from core.inbound import Answer
from core.request import Request
from core.unit import Unit
from core.words import Words

NOT_YOUR_CODE = Words(
    ja="{code} はほかの人に送られたコードです。あなたに届いたコードを使ってください。",
    en="{code} is the code of somebody else. Please use the one that was sent to you.",
    zh="{code} 是发给其他人的代码。请使用发给您的代码。",
)


async def step_of(work: Unit, request: Request, command: Command) -> UUID | None:
    """The step that is meant where a code of this person is named, and no other step of its task.
    None where no code is named. Raises Refused for one of somebody else, with how it stands."""
    code = command.target.code if command.target is not None else None
    meant = await coded(work.connection, request.person, code) if code is not None else None
    if meant is None:
        return None
    if meant.person_id != request.person.id:
        standing = await check_open(work.connection, request.person, meant.stage)
        await check_right(work.connection, request.person, standing)
        raise NotAllowed(NOT_YOUR_CODE.fill(code=code))
    return meant.stage


async def list_steps(work: Unit, request: Request, codes: Sequence[str]) -> Answer:
    """Several codes: their steps are listed once more, to be confirmed."""
    found = [await coded(work.connection, request.person, code) for code in codes]
    mine = [each.stage for each in found if each and each.person_id == request.person.id]
    return await bulk.list_stages(work, request, mine)
