"""From notifications to deliveries: every piece of news becomes changes of slots."""

from uuid import UUID

from core.db import execute, fetch_all, from_json
from core.house import House
from core.ids import new_id
from core.unit import unit
from core.views import task_view
from notifier.targets import News, targets


async def route(house: House, organisation_id: UUID, task_id: UUID) -> None:
    async with unit(house) as work:
        await execute(
            work.connection,
            "delete from outbox where organisation_id = :organisation_id and subject_id = :task_id"
            " and kind = 'announce'"
            " and (attempts > 0 or next_at <= now() + interval '3 seconds')",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
        rows = await fetch_all(
            work.connection,
            "update notifications set routed_at = now() where organisation_id = :organisation_id"
            " and task_id = :task_id and routed_at is null returning id, topic, facts",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
        if not rows:
            return
        view = await task_view(work.connection, house, organisation_id, task_id)
        for row in sorted(rows, key=lambda row: row.id):
            news = News(row.id, row.topic, from_json(row.facts))
            for target in await targets(work, view, news):
                await execute(
                    work.connection,
                    "insert into deliveries"
                    " (id, organisation_id, notification_id, task_id, thread_id, slot) values"
                    " (:id, :organisation_id, :notification_id, :task_id, :thread_id, :slot)"
                    " on conflict (notification_id, thread_id, slot) do nothing",
                    {
                        "id": new_id(),
                        "organisation_id": organisation_id,
                        "notification_id": news.id,
                        "task_id": task_id,
                        "thread_id": target.thread_id,
                        "slot": target.slot,
                    },
                )
