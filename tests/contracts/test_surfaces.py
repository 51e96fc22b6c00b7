"""One suite for every platform where people chat: what Miyabi promises wherever it is used.

Each promise is of what people can see and of what was decided; how a platform does it is its
driver's matter (tests/contracts/surfaces/).
"""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core import people
from core.db import execute
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.limits import Limits
from core.notices import Ladder, Notice, Recipient, publish
from core.unit import unit
from miyabi.build import Built
from miyabi.embedded import Services
from miyabi.plugins import all_platforms
from notifier.hub.working import work_on_notices
from tests.contracts import surfaces
from tests.contracts.surfaces.surface import ASKER, BOSS, HANDLES, SECOND, Ground, Surface
from tests.running import working

HOSTILE = "備考: <script>x</script> *b* `c` @everyone <!channel> {{7*7}} [x](javascript:y) & 'q'"
REQUEST = f"見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25\n{HOSTILE}"
WITHOUT_CUSTOMER = "見積 モニター5台 キーボード10個 納期12/25"
LONG = f"稟議 複合機の入替 金額 85,000円\n{'リース満了のためです。' * 300}"
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf"
    "c0000000030001013d1f5d0000000049454e44ae426082"
)
SIX = "株式会社ABC商事 モニター6台 キーボード10個 納期12/25"
FULL, HAVE = "ディスク使用率 97%", "対応します"
FIRST, REVISED = "244,200円", "280,280円"

NAMES = [info.name for info in pkgutil.iter_modules(surfaces.__path__) if info.name != "surface"]
every_surface = pytest.mark.parametrize("name", NAMES)
pytestmark = pytest.mark.timeout(120)


def test_every_platform_where_people_chat_is_in_the_suite() -> None:
    chats = {name for name, platform in all_platforms().items() if platform.limits is not None}

    assert chats == set(NAMES)


@pytest.fixture
async def surface(
    name: str, database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Surface]:
    """The platform of that name with a company of three, and no worker yet."""
    services = Services(database_url, database_url, redis_url)
    module = importlib.import_module(f"{surfaces.__name__}.{name}")
    async with module.surface(Ground(services, tmp_path, monkeypatch)) as opened:
        yield opened
        print({who: opened.seen_by(who) for who in HANDLES})  # noqa: T201  # shown where it fails
        assert list(opened.wrongs()) == []


@pytest.fixture
def limits(name: str) -> Limits:
    declared = all_platforms()[name].limits
    assert declared is not None
    return declared


@every_surface
async def test_a_quote_from_the_first_word_to_the_document(
    surface: Surface, limits: Limits
) -> None:
    async with working(surface.built):
        asked = await surface.ask(ASKER, REQUEST)
        await until(lambda: FIRST in surface.seen_by(BOSS) and pressable(surface, "承認"))
        await surface.again(asked)
        assert await count(surface, "tasks") == 1

        await surface.press(ASKER, "承認")
        sent_back = await surface.press(BOSS, "差し戻し", "台数をご確認ください")
        await until(lambda: "台数をご確認ください" in surface.seen_by(ASKER))
        assert await decisions(surface) == [("return", BOSS)], "nobody approves their own request"

        await surface.reply(
            ASKER, "修正 #1001 株式会社ABC商事 モニター6台 キーボード10個 納期12/25"
        )
        await until(lambda: REVISED in surface.seen_by(BOSS) and pressable(surface, "承認"))
        approved, _ = await asyncio.gather(*(surface.press(BOSS, "承認") for _ in "12"))
        await surface.again(approved)
        await until(lambda: "Q-" in surface.seen_by(ASKER))
        await until(lambda: surface.documents(ASKER) > 0)
        if limits.edits:
            await until(lambda: "●" in surface.seen_by(ASKER))
            await until(lambda: not pressable(surface, "承認"))

    assert sent_back is not None
    assert await decisions(surface) == [("return", BOSS), ("approve", BOSS)]
    assert await count(surface, "tasks") == 1


@every_surface
async def test_a_question_through_a_restart_and_a_refusal_and_a_decision_elsewhere(
    surface: Surface, limits: Limits
) -> None:
    await surface.ask(ASKER, WITHOUT_CUSTOMER)
    refused = surface.refuse_once()
    async with working(surface.built):
        await until(lambda: "お客様" in surface.seen_by(ASKER))
        assert refused()
        await surface.reply(ASKER, "株式会社ABC商事")
    async with working(surface.built):
        await until(lambda: FIRST in surface.seen_by(BOSS) and pressable(surface, "承認"))
        await decide_elsewhere(surface, SECOND)
        await until(lambda: "Q-" in surface.seen_by(ASKER))
        if limits.edits:
            await until(lambda: not pressable(surface, "承認"))
            await until(lambda: SECOND in surface.seen_by(BOSS))
        else:
            await surface.press(BOSS, "承認")
            await until(lambda: SECOND in surface.seen_by(BOSS))

    assert await decisions(surface) == [("approve", SECOND)]


@every_surface
async def test_what_is_long_is_whole_where_it_counts_and_a_file_is_taken(surface: Surface) -> None:
    async with working(surface.built):
        await surface.send_file(ASKER, LONG, "写真.png", PHOTO)
        await until(lambda: pressable(surface, "承認"))
        await until(lambda: "85,000" in surface.seen_by(BOSS))
        await until_row(surface, "select 1 from attachments where state = 'kept'")


@every_surface
async def test_a_notice_is_told_and_whoever_was_told_has_it(
    surface: Surface, limits: Limits
) -> None:
    notice_id = await publish_climbing(surface)
    async with working(surface.built), noticing(surface.built):
        await until(lambda: FULL in surface.told(FULL)[0])
        assert HAVE in surface.told(FULL)[1]

        forged = await surface.press_told(ASKER, FULL, HAVE)
        assert "あなた宛てではありません" in forged or "その通知はありません" in forged
        assert await holder(surface, notice_id) is None

        await as_if_told_long_ago(surface)
        answered = await surface.press_told(BOSS, FULL, HAVE)
        assert "あなたが対応することを記録しました" in answered
        assert await holder(surface, notice_id) == BOSS
        if limits.edits:
            await until(lambda: f"{BOSS} さんが対応中です" in surface.told(FULL)[0])
            assert HAVE not in surface.told(FULL)[1]

    told = await rows(surface, f"select 1 from dispatches where notice_id = '{notice_id}'")
    assert len(told) == 1, "nobody else is told"
    [escalation] = await rows(surface, "select state from escalations")
    assert escalation.state == "acknowledged"


# -- looking ---------------------------------------------------------------------------------------


async def until(condition: Callable[[], object], timeout: float = 12.0) -> None:
    """Wait until people see this. Raises TimeoutError where they never do."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.02)


async def until_row(surface: Surface, sql: str) -> None:
    async with asyncio.timeout(20):
        while not await rows(surface, sql):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.05)


async def publish_climbing(surface: Surface) -> UUID:
    """What 三郎 is told, and the others where nobody acknowledges it."""
    house, organisation_id = surface.built.house, surface.organisation.id
    async with unit(house) as work:
        everyone = await people.everyone(work.connection, organisation_id)
        boss = next(person for person in everyone if person.name == BOSS)
        facts = {"title": FULL, "text": HOSTILE}
        ladder = Ladder(30, ((Recipient("role", "approver"),),))
        to = (Recipient("person", str(boss.id)),)
        return await publish(
            work, organisation_id, Notice("alert.disk", to, facts, "high", ladder=ladder)
        )


@asynccontextmanager
async def noticing(built: Built) -> AsyncIterator[None]:
    """What a worker runs for the notices, beside `working`."""
    hub = asyncio.create_task(work_on_notices(built.opening, {}))
    try:
        yield
    finally:
        hub.cancel()
        await asyncio.wait([hub])


async def as_if_told_long_ago(surface: Surface) -> None:
    """A message is changed every few seconds at most."""
    async with unit(surface.built.house) as work:
        await execute(
            work.connection,
            "update dispatches set sent_at = sent_at - interval '1 minute'"
            " where organisation_id = :id",
            {"id": surface.organisation.id},
        )


async def holder(surface: Surface, notice_id: UUID) -> str | None:
    """Who has acknowledged it."""
    [row] = await rows(
        surface,
        "select p.name from notices n left join people p on p.id = n.acknowledged_by"
        f" where n.id = '{notice_id}'",
    )
    return str(row.name) if row.name else None


def pressable(surface: Surface, label: str) -> bool:
    try:
        return label in surface.labels()
    except IndexError:  # there is no card yet
        return False


async def rows(surface: Surface, sql: str) -> list[Any]:
    async with surface.built.house.engine.connect() as connection:
        return list(await connection.execute(text(sql)))


async def count(surface: Surface, table: str) -> int:
    return int((await rows(surface, f"select count(*) as n from {table}"))[0].n)


async def decisions(surface: Surface) -> list[tuple[str, str]]:
    """What was decided, and by whom, in order."""
    found = await rows(
        surface,
        "select d.action, p.name from decisions d join people p on p.id = d.person_id"
        " order by d.id",
    )
    return [(row.action, row.name) for row in found]


async def decide_elsewhere(surface: Surface, who: str) -> None:
    """Somebody approves in the terminal, wherever they have been told."""
    house, organisation_id = surface.built.house, surface.organisation.id
    account = Sender("api", str(organisation_id), HANDLES[who])
    [row] = await rows(surface, "select id from approvals order by id desc limit 1")
    async with unit(house) as work:
        person = next(
            each
            for each in await people.everyone(work.connection, organisation_id)
            if each.name == who
        )
        await people.link(work, person, account)
    click = Inbound(account, Spot("cli"), uuid4().hex, click=Click("approve", str(row.id)))
    answer = await accept(house, click, click_patience=30)
    assert answer.outcome == "done", answer
