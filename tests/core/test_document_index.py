"""Documents that were issued before there was an index are in it afterwards."""

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from audit.criteria import Criteria
from core.db import create_engine
from core.migrate import MIGRATIONS
from core.retention import retain_until
from tests.audit.shelf import Shelf

BEFORE = "0002"


async def test_what_was_issued_earlier_is_found_too(empty_database_url: str) -> None:
    owner = create_async_engine(empty_database_url)
    organisation_id = uuid4()
    async with owner.connect() as connection:
        await connection.run_sync(_migrate, BEFORE)
        await _issue_two(connection, organisation_id)
        await connection.commit()
        await connection.run_sync(_migrate, "head")
        await connection.commit()
    await owner.dispose()

    engine = create_engine(empty_database_url)
    shelf = Shelf(engine, organisation_id)
    page = await shelf.page(Criteria(counterparty="ABC商事", text="モニター", least=5500))
    [row] = page.rows
    letter = (await shelf.page(Criteria(number="L-1"))).rows[0]
    await engine.dispose()

    assert (row.number, row.amount, row.counterparty) == ("Q-1", 5500, "株式会社ABC商事")
    assert (row.reference, row.sha256, row.file_name) == ("#1", "ab", "q.pdf")
    assert row.dated == date(2026, 11, 30)
    assert row.retain_until == retain_until(row.dated)
    assert (letter.amount, letter.counterparty, letter.sha256) == (None, "", None)
    assert letter.voided_at is not None


def _migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _issue_two(connection: AsyncConnection, organisation_id: UUID) -> None:
    person_id, known = uuid4(), {"organisation_id": organisation_id}
    await _run(
        connection,
        "insert into organisations (id, slug, name) values (:organisation_id, 'a', 'A')",
        **known,
    )
    await _run(
        connection,
        "insert into people (id, organisation_id, handle, name)"
        " values (:id, :organisation_id, 'a', 'A')",
        id=person_id,
        **known,
    )
    file = {"sha256": "ab", "name": "q.pdf", "media_type": "application/pdf", "pages": 1}
    quote = {
        "customer": {"name": "株式会社ABC商事"},
        "totals": {"total": 5500},
        "lines": [{"name": "モニター 27型"}],
    }
    for reference, number, result in ((1, "Q-1", quote), (2, "L-1", None)):
        task_id = uuid4()
        of = {**known, "task_id": task_id}
        await _run(
            connection,
            "insert into tasks (id, organisation_id, reference, agent, agent_version, person_id,"
            " language, state) values (:task_id, :organisation_id, :reference, 'quote', 1,"
            " :person_id, 'ja', 'done')",
            reference=reference,
            person_id=person_id,
            **of,
        )
        await _run(
            connection,
            "insert into documents (id, organisation_id, task_id, revision, kind, number,"
            " base_number, issued_on, file, voided_at) values (gen_random_uuid(),"
            " :organisation_id, :task_id, 1, 'quote', :number, :number, '2026-11-30',"
            " cast(:file as jsonb), case when :void then now() end)",
            number=number,
            file=json.dumps(file) if result else None,
            void=result is None,
            **of,
        )
        if result:
            await _run(
                connection,
                "insert into steps (organisation_id, task_id, revision, name, inputs_sha256,"
                " result, started_at, finished_at) values (:organisation_id, :task_id, 1, 'price',"
                " '', cast(:result as jsonb), now(), now())",
                result=json.dumps(result),
                **of,
            )


async def _run(connection: AsyncConnection, sql: str, **values: Any) -> None:
    await connection.execute(text(sql), values)
