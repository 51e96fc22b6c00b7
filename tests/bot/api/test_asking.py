"""Asking for work over HTTP: taken in once, and each mistake told from the others."""

import asyncio
from typing import Any

import pytest

from core.line import Limits
from tests.bot.api.conftest import PROBLEM, Program, Said, Site


async def count(site: Site, table: str) -> int:
    row = await site.office.row(f"select count(*) as n from {table}", {})
    return int(row.n)


def fields(said: Said) -> list[str]:
    return [error["field"] for error in said.data["errors"]]


async def test_a_request_is_taken_in_and_can_be_looked_at(site: Site, asker: Program) -> None:
    said = await asker.ask("letter hello")
    task = await asker.get(f"/tasks/{said.data['reference']}")

    assert (said.status, said.data["outcome"]) == (202, "taken")
    assert said.headers["Location"] == said.data["task"] == task.data["links"]["self"]
    assert "taken in" in said.data["message"]
    assert (task.data["state"], task.data["text"]) == ("received", "hello")
    assert task.data["requester"] == "Asker"


async def test_the_same_request_with_the_same_key_gets_the_first_answer(
    site: Site, asker: Program
) -> None:
    first = await asker.ask("letter hello", key="k1")
    second = await asker.ask("letter hello", key="k1")
    quoted = await asker.ask("letter hello", key='"k1"')

    assert first.data == second.data == quoted.data
    assert (first.status, second.status) == (202, 202)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert await count(site, "tasks") == 1


async def test_the_same_key_with_other_content_is_refused(site: Site, asker: Program) -> None:
    first = await asker.ask("letter hello", key="k1")
    other = await asker.ask("letter goodbye", key="k1")
    elsewhere = await asker.post(f"/tasks/{first.data['reference']}/cancel", key="k1")

    assert [other.status, elsewhere.status] == [422, 422]
    assert other.data["code"] == elsewhere.data["code"] == "key_reused"
    assert await count(site, "tasks") == 1


async def test_twenty_at_once_with_one_key_begin_one_task(site: Site, asker: Program) -> None:
    said = await asyncio.gather(*(asker.ask("letter hello", key="k1") for _ in range(20)))

    assert {each.status for each in said} == {202}
    assert len({each.body for each in said}) == 1
    assert await count(site, "tasks") == 1
    assert await count(site, "outbox") == 2


async def test_a_key_belongs_to_the_person_not_to_the_token(
    site: Site, asker: Program, boss: Program
) -> None:
    renewed = await site.program(site.office.asker)

    first = await asker.ask("letter hello", key="k1")
    again = await renewed.ask("letter hello", key="k1")
    another = await boss.ask("letter goodbye", key="k1")

    assert again.data == first.data
    assert another.data["reference"] != first.data["reference"]


async def test_bulk_work_is_handed_on_in_its_own_lane(site: Site, asker: Program) -> None:
    said = await asker.ask("letter hello", lane="bulk")
    task = await asker.get(f"/tasks/{said.data['reference']}")

    assert task.data["lane"] == "bulk"
    assert {job.lane for job in site.office.bell.jobs} == {"bulk"}


async def test_a_full_line_is_told_and_the_same_key_may_try_again(
    site: Site, asker: Program
) -> None:
    site.house.line.limits = Limits(person=1)
    first = await asker.ask("letter hello")
    full = [await asker.ask("letter goodbye", key="k") for _ in range(2)]
    await asker.post(f"/tasks/{first.data['reference']}/cancel")
    room = await asker.ask("letter goodbye", key="k")
    again = await asker.ask("letter goodbye", key="k")

    assert [(said.status, said.data["code"]) for said in full] == [(429, "full")] * 2
    assert int(full[0].headers["Retry-After"]) > 0
    assert "Not taken in" in full[0].data["detail"]
    assert (room.status, again.data) == (202, room.data)


@pytest.mark.parametrize(
    ("text", "agent"), [("letter hello", None), ("hello there", "letter"), ("手紙 hello", "letter")]
)
async def test_whose_work_it_is_is_told_by_the_text_or_by_name(
    asker: Program, text: str, agent: str | None
) -> None:
    said = await asker.ask(text, agent=agent)

    assert said.data["outcome"] == "taken"


async def test_a_question_to_miyabi_itself_is_answered(asker: Program) -> None:
    said = await asker.ask("help")

    assert (said.status, said.data["outcome"]) == (200, "told")
    assert "letter hello" in said.data["message"]
    assert said.data["reference"] is None


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({}, ["body"]),
        ({"text": "  "}, ["body"]),
        ({"text": "letter x", "form": {}, "agent": "letter"}, ["body"]),
        ({"form": {}}, ["body"]),
        ({"text": "x", "agent": "nobody"}, ["agent"]),
        ({"agent": "letter", "form": {}}, ["agent"]),
        ({"text": 1}, ["text"]),
        ({"text": "letter x", "lane": "fast"}, ["lane"]),
        ({"text": "letter x", "colour": "red", "thread": "a b"}, ["thread", "colour"]),
        ({"text": "letter " + "x" * 100_000}, ["text"]),
        ([], ["body"]),
        ("letter x", ["body"]),
    ],
)
async def test_wrong_content_is_told_field_by_field(
    site: Site, asker: Program, content: Any, wrong: list[str]
) -> None:
    said = await asker.post("/requests", content)

    assert (said.status, said.data["code"], fields(said)) == (422, "invalid", wrong)
    assert all(error["detail"] for error in said.data["errors"])
    assert await count(site, "tasks") == 0


@pytest.mark.parametrize(
    ("text", "code"), [("letter", "incomplete"), ("lettre", "unknown_command")]
)
async def test_a_text_that_says_too_little_is_refused(
    site: Site, asker: Program, text: str, code: str
) -> None:
    said = await asker.ask(text)

    assert (said.status, said.data["code"]) == (422, code)
    assert "letter" in said.data["detail"]
    assert await count(site, "tasks") == 0


@pytest.mark.parametrize("key", ["", "a b", "あ", "x" * 201])
async def test_without_a_key_nothing_is_taken_in(site: Site, asker: Program, key: str) -> None:
    bad = {"Idempotency-Key": key} if key else {}
    said = await asker.call("POST", "/requests", json={"text": "letter hello"}, headers=bad)

    assert (said.status, fields(said)) == (400, ["Idempotency-Key"])
    assert await count(site, "tasks") == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"text": "letter \\ud800"}', b"[" * 100_000])
async def test_what_is_no_request_is_refused(site: Site, asker: Program, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    said = await asker.call("POST", "/requests", data=body, headers=headers)

    assert said.status in {400, 422}
    assert said.headers["Content-Type"] == PROBLEM
    assert await count(site, "tasks") == 0


async def test_a_body_of_more_than_a_megabyte_is_refused(asker: Program) -> None:
    said = await asker.ask("letter " + "x" * 1_000_000)

    assert (said.status, said.data["code"]) == (413, "too_large")


async def test_who_may_not_ask_is_forbidden_to(site: Site) -> None:
    program = await site.program(site.office.other_boss)

    said = await program.ask("letter hello")

    assert (said.status, said.data["code"]) == (403, "forbidden")
    assert "requester" in said.data["detail"]
    assert await count(site, "tasks") == 0


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("ja", "内容に誤りがあります"),
        ("zh-CN, en;q=0.5", "内容有误"),
        ("fr, en;q=0.5, ja;q=0.1", "The content is wrong"),
        ("fr", "The content is wrong"),
        ("", "The content is wrong"),
        ("ja;q=nonsense, ;;;, zh;q=2", "The content is wrong"),
    ],
)
async def test_problems_are_in_the_language_asked_for_else_in_the_persons(
    asker: Program, header: str, title: str
) -> None:
    asker.headers["Accept-Language"] = header

    said = await asker.post("/requests", {})

    assert said.data["title"] == title


async def test_what_nobody_serves_is_a_problem_too(asker: Program) -> None:
    nowhere = await asker.get("/nowhere")
    wrong = await asker.call("DELETE", "/requests")

    assert (nowhere.status, nowhere.data["code"]) == (404, "not_found")
    assert (wrong.status, wrong.data["code"]) == (405, "method_not_allowed")
    assert nowhere.headers["Content-Type"] == PROBLEM


async def test_there_are_no_pages_that_load_scripts_from_elsewhere(site: Site) -> None:
    for path in ("/api/docs", "/api/redoc", "/api/v1/docs"):
        async with site.http.get(path) as answer:
            assert answer.status == 404


async def test_answers_are_counted_by_route_not_by_what_stands_in_it(
    site: Site, asker: Program
) -> None:
    await asker.get("/tasks/777777")
    await asker.get("/no/such/777777")

    async with site.http.get("/metrics") as answer:
        figures = await answer.text()
    assert 'miyabi_http_answers_total{path="/api/v1/tasks/{reference}",status="404"}' in figures
    assert 'miyabi_http_answers_total{path="other",status="404"}' in figures
    assert "777777" not in figures
