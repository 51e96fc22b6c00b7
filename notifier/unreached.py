"""Who can't be told where they should be: said elsewhere, and where there is nowhere, to those who
look after the organisation."""

from collections.abc import Sequence
from uuid import UUID

from core import tasks
from core.approvals.telling import admins, tell_people
from core.people import name_of
from core.unit import Unit
from core.words import Words

TOLD = "unreachable:"
"""The key of what the admins are told; of a message of that kind they are not told in turn."""

MOVED = Words(
    ja="これまでの連絡先に届かなくなったため、こちらにお知らせします。",
    en="You are told here because you are not reached any more where you were told before.",
    zh="由于原来的联系方式已无法送达，改在此处通知您。",
)
BLOCKED = Words(
    ja="{platform} に届かなくなっている（ブロックまたは連携解除）ため、こちらにお知らせします。",
    en="You are told here because you are not reached on {platform}: it is blocked or unlinked.",
    zh="由于 {platform} 已被屏蔽或解除绑定而无法送达，改在此处通知您。",
)
LEFT = Words(
    ja="{platform} のグループに参加していないため、こちらにお知らせします。",
    en="You are told here because Miyabi is not in the group on {platform} any more.",
    zh="由于已不在 {platform} 的群组中，改在此处通知您。",
)
NOWHERE = Words(
    ja="{who} さんに {what} のお知らせを届けられません。ほかの連絡先の登録を依頼してください。",
    en="{who} can't be told of {what}. Please have them link another account.",
    zh="无法将 {what} 通知 {who}。请让其绑定其他联系方式。",
)


async def tell_unreached(
    work: Unit, organisation_id: UUID, task_id: UUID, people: Sequence[UUID], slot: str
) -> None:
    """Tell the admins, once a task, of each person who can't be told of it at all.

    `slot` is what they should have been told.
    """
    if not people or slot.startswith(f"word:{TOLD}"):
        return
    task = (await tasks.read(work.connection, organisation_id, [task_id]))[task_id]
    told = await admins(work.connection, organisation_id)
    for person in people:
        name = await name_of(work.connection, organisation_id, person)
        words = NOWHERE.fill(who=name, what=task.spoken)
        others = [admin for admin in told if admin != person]
        await tell_people(work, task, others, f"{TOLD}{person}", words)
