"""The log and the index of documents over HTTP: who may, page by page, and as files."""

import csv
import io
import json
from urllib.parse import urlsplit

import pytest

from core import people
from core.people import Person
from core.unit import unit
from tests.bot.api.conftest import PROBLEM, Program, Site


async def person(site: Site, *roles: str) -> Person:
    async with unit(site.house) as work:
        return await people.add(
            work, site.office.organisation.id, "-".join(roles), "X", frozenset(roles), language="en"
        )


async def auditor(site: Site) -> Program:
    return await site.program(await person(site, "auditor"))


async def issue(site: Site, text: str) -> int:
    """A letter asked for, approved and issued; gives its task's number."""
    office = site.office
    answer = await office.say(f"letter {text}")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()
    assert answer.reference is not None
    return answer.reference


async def test_an_auditor_searches_documents_page_by_page(site: Site) -> None:
    for number in range(5):
        await issue(site, f"hello {number}")
    program = await auditor(site)

    whole = (await program.get("/audit/documents?person=asker&kind=letter")).data
    pages, path = [], "/audit/documents?person=asker&limit=2"
    while path:
        page = (await program.get(path)).data
        pages.append(page["documents"])
        path = (page["next"] or "").removeprefix("/api/v1")

    assert whole["next"] is None
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row for page in pages for row in page] == whole["documents"]
    assert whole["documents"][0]["number"].endswith("-0005")


async def test_an_auditor_searches_events(site: Site) -> None:
    reference = await issue(site, "hello")
    program = await auditor(site)

    tags = "tag=approval:approval:decided&tag=worker:document:issued"
    found = (await program.get(f"/audit/events?{tags}&task={reference}")).data

    assert [row["tag"] for row in found["events"]] == [
        "worker:document:issued", "approval:approval:decided",
    ]  # fmt: skip
    assert found["events"][1]["person"] == "boss"


async def test_an_auditor_sees_the_log_and_nothing_else(site: Site) -> None:
    reference = await issue(site, "hello")
    program = await auditor(site)
    [row] = (await program.get("/audit/documents")).data["documents"]

    for path in (f"/tasks/{reference}", f"/tasks/{reference}/documents/{row['number']}"):
        assert (await program.get(path)).status == 403
    assert (await program.post(f"/tasks/{reference}/cancel")).status == 403
    assert (await program.ask()).status == 403


async def test_who_has_no_role_for_it_may_not(site: Site, asker: Program, boss: Program) -> None:
    for program in (asker, boss):
        for path in ("documents", "events", "exports/documents.csv"):
            said = await program.get(f"/audit/{path}")
            assert (said.status, said.headers["Content-Type"]) == (403, PROBLEM)
    assert (await site.stranger(None).get("/audit/documents")).status == 401


async def test_another_organisation_finds_nothing_of_ours(site: Site) -> None:
    reference = await issue(site, "hello")
    rival = await site.competitor()

    assert (await rival.get("/audit/documents")).data["documents"] == []
    events = (await rival.get("/audit/events?limit=1000")).data["events"]
    assert not [row for row in events if row["tag"].startswith("worker:")]
    assert (await rival.get(f"/audit/documents?task={reference}")).status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("min=1.5", "min"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("from=2026-01-02&to=2026-01-01", None),
        ("tag=x:y:z", None),
        ("after=x", None),
        ("text=x", None),
    ],
)
async def test_what_cant_be_looked_for_is_told(site: Site, query: str, field: str | None) -> None:
    program = await auditor(site)

    said = await program.get(f"/audit/documents?{query}")

    assert said.status == 422
    assert said.data["errors" if field else "detail"]
    if field:
        assert said.data["errors"][0]["field"] == field


async def test_refusals_are_in_the_language_that_is_asked_for(site: Site) -> None:
    program = await auditor(site)
    told = set()
    for language in ("ja", "en", "zh"):
        program.headers["Accept-Language"] = language
        told.add((await program.get("/audit/documents?text=x")).data["detail"])

    assert len(told) == 3


async def test_all_of_it_as_csv_and_as_json_lines(site: Site) -> None:
    await issue(site, "hello")
    program = await auditor(site)
    headers = {"Authorization": f"Bearer {program.token}"}

    async def take(path: str) -> tuple[str, str]:
        async with site.http.get(f"/api/v1/audit/exports/{path}", headers=headers) as answer:
            assert answer.status == 200
            assert "attachment" in answer.headers["Content-Disposition"]
            return answer.headers["Content-Type"], (await answer.read()).decode()

    kind, table = await take("documents.csv?kind=letter")
    assert kind == "text/csv; charset=utf-8"
    assert table.startswith("\ufeffDate,")
    assert len(list(csv.reader(io.StringIO(table, newline="")))) == 2
    kind, lines = await take("events.jsonl?tag=worker:document:issued")
    assert kind == "application/jsonl"
    assert [json.loads(line)["tag"] for line in lines.splitlines()] == ["worker:document:issued"]
    begun = (await program.get("/audit/events?tag=reader:export:finished")).data["events"]
    assert [row["data"]["rows"] for row in begun] == [1, 1]


async def test_the_next_page_keeps_what_was_asked_for(site: Site) -> None:
    for number in range(2):
        await issue(site, f"hello {number}")
    program = await auditor(site)

    page = (await program.get("/audit/documents?limit=1&kind=letter&text=L-")).data

    assert {"limit=1", "kind=letter", "text=L-"} <= set(urlsplit(page["next"]).query.split("&"))
