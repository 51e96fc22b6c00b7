"""Summaries are stopped by one click, and by nobody who only looks at the link."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.applications import Starlette

from audit.event import SYSTEM
from bot.email.unsubscribing import routes
from core import tasks
from core.notify_commands import by_text
from core.preferences import Mute, read
from core.unit import unit
from tests.bot.email.out.post import Post


async def _remind(post: Post, task_id: UUID | None) -> None:
    """The summary of what waits for the boss, now."""
    assert task_id is not None
    house = post.office.house
    async with unit(house) as work:
        found = await tasks.read(work.connection, post.office.organisation.id, [task_id])
        facts: dict[str, object] = {
            "people": [str(post.office.boss.id)],
            "slot": f"digest:{post.office.boss.id}:{post.keys}",
        }
        await tasks.notify(work, found[task_id], "approval.digest", facts)
    await post.office.work()


async def _ask(app: Starlette, method: str, path: str) -> int:
    """The status of a request."""
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"List-Unsubscribe=One-Click"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    return told[0]


async def _chosen(post: Post) -> tuple[Mute, ...]:
    """What the boss does not want to hear."""
    boss = post.office.boss
    async with post.office.house.engine.connect() as connection:
        return (await read(connection, boss.organisation_id, boss.id)).mutes


async def test_a_summary_is_stopped_by_one_click_and_other_letters_still_come(post: Post) -> None:
    asked = await post.write("letter one")
    await _remind(post, asked.task_id)
    wanted, digest = post.to(post.office.boss)
    assert wanted["List-Unsubscribe"] is None
    link = digest["List-Unsubscribe"].strip("<>")
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    app, path = Starlette(routes=routes(post.opening)), urlsplit(link).path
    assert await _ask(app, "GET", path) == 200
    assert await _ask(app, "HEAD", path) == 200
    assert await _ask(app, "POST", f"{path}x") == 404
    post.keys += 1
    await _remind(post, asked.task_id)
    assert len(post.to(post.office.boss)) == 3
    assert await _chosen(post) == ()
    assert await _ask(app, "POST", path) == 200
    assert await _ask(app, "POST", path) == 200
    assert await _chosen(post) == (Mute("digest", channel="email"),)
    post.keys += 1
    await _remind(post, asked.task_id)
    assert len(post.to(post.office.boss)) == 3
    await post.write("letter two")
    assert len(post.to(post.office.boss)) == 4
    async with unit(post.office.house) as work:
        await by_text(work, post.office.boss, "unmute digest", SYSTEM)
    assert await _chosen(post) == ()
    post.keys += 1
    await _remind(post, asked.task_id)
    assert len(post.to(post.office.boss)) == 5
