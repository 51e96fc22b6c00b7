"""From notifications to deliveries: every piece of news becomes changes of slots."""

from uuid import UUID

from core.codec import dump
from core.db import execute, fetch_all, from_json, to_json
from core.house import House
from core.ids import new_id
from core.unit import unit
from notifier.quiet import held_back
from notifier.targets import News, read_ground, targets


async def route(house: House, organisation_id: UUID, task_id: UUID) -> None:
    """Write what each thread has to show of what is new, and use up the nudges for it."""
    async with unit(house) as work:
        rows = await fetch_all(
            work.connection,
            """
            with heard as (
                delete from outbox where organisation_id = :organisation_id
                    and subject_id = :task_id and kind = 'announce'
                    and (attempts > 0 or next_at <= now() + interval '3 seconds')
            )
            update notifications set routed_at = now() where organisation_id = :organisation_id
                and task_id = :task_id and routed_at is null returning id, topic, facts
            """,
            {"organisation_id": organisation_id, "task_id": task_id},
        )
        if not rows:
            return
        ground = await read_ground(work.connection, organisation_id, task_id)
        changes = []
        for row in sorted(rows, key=lambda row: row.id):
            news = News(row.id, row.topic, from_json(row.facts))
            changes += [
                {
                    "id": str(new_id()),
                    "notification_id": str(news.id),
                    "thread_id": str(target.thread_id),
                    "slot": target.slot,
                    "instead": dump(target.instead) if target.instead else None,
                    "until": target.until.isoformat() if target.until else None,
                }
                for target in await held_back(
                    work, house, ground, await targets(work, ground, news)
                )
            ]
        await execute(
            work.connection,
            "insert into deliveries (id, organisation_id, notification_id, task_id, thread_id,"
            " slot, instead, held_until, next_at) select id, :organisation_id, notification_id,"
            " :task_id, thread_id, slot, nullif(instead, 'null'), until, coalesce(until, now())"
            " from jsonb_to_recordset(cast(:changes as jsonb)) as change (id uuid,"
            " notification_id uuid, thread_id uuid, slot text, instead jsonb, until timestamptz)"
            " on conflict (notification_id, thread_id, slot) do nothing",
            {
                "organisation_id": organisation_id,
                "task_id": task_id,
                "changes": to_json(changes),
            },
        )
