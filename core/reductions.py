"""Less is approved than was asked for: an approver takes off of a line, and says why.

That makes a revision of the task in which nothing but the approved amount differs. It stays its
requester's: who takes off writes nothing of theirs, and may still decide. What was approved before
no longer holds, and the route begins anew with what is to be paid now.
"""

import re

from core import phrases
from core.approvals import deciding
from core.approvals.view import latest_of
from core.changes import renew
from core.codec import dump
from core.commands import Command
from core.errors import Refused
from core.inbound import Answer
from core.money import spoken_yen
from core.reading.expense import read_yen
from core.reading.text import fold
from core.request import Request
from core.target import about, target
from core.unit import Unit
from core.views import task_view
from core.words import Words

_SAID = re.compile(
    r"(?P<place>\d{1,3})(?:件目|番|项)?[\s、,:]+(?P<amount>\S+)\s+(?P<reason>\S.*)", re.S
)

HOW = Words(
    ja="明細の番号・承認する金額・理由を書いてください"
    "（例: 減額 {reference} 2 1,500円 私用分を除く）。",
    en="Say which line, how much of it is approved, and why (such as: reduce {reference} 2 1,500 "
    "without the private part).",
    zh="请写明第几项、批准的金额和理由（例: 减额 {reference} 2 1,500日元 扣除私用部分）。",
)
NOT_OF_THIS = Words(
    ja="{reference} は減額できる種類の依頼ではありません。",
    en="{reference} is nothing of which an amount can be taken off.",
    zh="{reference} 不是可以减额的申请。",
)
DONE = Words(
    ja="{reference} の{place}件目の承認額を {amount} にしました（理由: {reason}）。"
    "承認は最初からやり直しです。",
    en="Of {reference}, line {place} is now approved with {amount} ({reason}). The approval begins "
    "anew.",
    zh="{reference} 第{place}项的批准金额已改为 {amount}（理由: {reason}）。审批重新开始。",
)


async def handle_reduce(work: Unit, request: Request, command: Command) -> Answer:
    """`reduce #1042 2 1,500 reason`, by whoever may decide on it now. Raises Refused."""
    task = await target(work.connection, request, command)
    agent = request.house.agent(task.agent, task.agent_version)
    if agent.reduce is None:
        raise Refused(NOT_OF_THIS.fill(reference=task.spoken))
    approval = await latest_of(work.connection, task.organisation_id, task.id)
    if approval is None:
        raise Refused(phrases.NOTHING_PENDING.fill(reference=task.spoken))
    await deciding.check(work.connection, request.person, approval)
    said = _SAID.fullmatch(command.rest.strip())
    amount = read_yen(said["amount"]) if said else None
    if said is not None and amount is None and set(fold(said["amount"]).text) <= set("0¥円"):
        amount = 0
    if said is None or amount is None:
        raise Refused(HOW.fill(reference=task.spoken))
    place, reason = int(said["place"]), said["reason"].strip()
    view = await task_view(work.connection, request.house, task.organisation_id, task.id)
    ask = agent.reduce(view.results, place, amount, reason, request.person.name)
    await renew(work, request, task, dump(ask), "", author=task.person_id)
    words = DONE.fill(reference=task.spoken, place=place, amount=spoken_yen(amount), reason=reason)
    return about(task, request.say(words))
