"""Looking at tasks and acting on them over HTTP: the rules are those of the chat."""

import asyncio

import pytest

from core.approvals.routes import put
from core.errors import Permanent
from core.unit import unit
from tests.bot.api.conftest import Program, Said, Site


async def asked(site: Site, program: Program, text: str = "letter hello") -> str:
    """A task at work until it waits; gives its path."""
    said = await program.ask(text)
    assert said.status == 202, said.data
    await site.office.work()
    return f"/tasks/{said.data['reference']}"


async def test_a_request_becomes_a_document_that_can_be_fetched(
    site: Site, asker: Program, boss: Program
) -> None:
    path = await asked(site, asker)
    waiting = await asker.get(path)
    decided = await boss.post(f"{path}/approve")
    await site.office.work()
    done = await asker.get(path)
    (document,) = done.data["documents"]
    file = await asker.get(f"{path}/documents/{document['number']}")
    by_number = await asker.get(f"/tasks/{document['number']}")

    assert waiting.data["waiting_for"] == "approval"
    assert set(waiting.data["links"]) == {"self", "approve", "reject", "return", "cancel"}
    assert (decided.status, decided.data["outcome"]) == (200, "done")
    assert (done.data["state"], done.data["waiting_for"]) == ("done", None)
    assert done.data["fields"] == [{"label": "Letter", "value": "hello"}]
    assert set(done.data["links"]) == {"self"}
    assert document["url"] == f"/api/v1{path}/documents/{document['number']}"
    assert (file.status, file.body) == (200, f"{document['number']}: hello".encode())
    assert file.headers["ETag"] == f'"{document["sha256"]}"'
    assert document["name"] in file.headers["Content-Disposition"]
    assert by_number.data == done.data


async def test_the_messages_of_its_thread_are_rows_and_approvers_hear_where_they_listen(
    site: Site, asker: Program, boss: Program
) -> None:
    await asked(site, asker)

    threads = await site.office.row(
        "select array_agg(platform || ':' || account order by account) as heard"
        " from threads where person_id is not null",
        {},
    )
    stored = await site.office.row(
        "select count(*) as n from messages m join threads h on h.id = m.thread_id"
        " where h.platform = 'api'",
        {},
    )
    assert threads.heard == ["wall:boss", "wall:other"]
    assert stored.n > 0


async def test_nobody_approves_their_own_request(site: Site, boss: Program) -> None:
    path = await asked(site, boss)

    said = await boss.post(f"{path}/approve")

    assert (said.status, said.data["code"]) == (403, "forbidden")
    assert (await boss.get(path)).data["state"] == "waiting"


async def test_who_may_not_approve_is_forbidden_to(site: Site, asker: Program) -> None:
    path = await asked(site, asker)

    assert (await asker.post(f"{path}/approve")).status == 403


async def test_of_many_approvals_at_once_one_counts(site: Site, asker: Program) -> None:
    bosses = [await site.program(site.office.boss), await site.program(site.office.other_boss)]
    path = await asked(site, asker)

    said = await asyncio.gather(*(bosses[n % 2].post(f"{path}/approve") for n in range(10)))

    assert sorted(each.status for each in said) == [200] + [409] * 9
    assert all("approved" in each.data["detail"] for each in said if each.status == 409)


async def test_the_same_decision_with_the_same_key_gets_the_first_answer(
    site: Site, asker: Program, boss: Program
) -> None:
    path = await asked(site, asker)
    first = await boss.post(f"{path}/return", {"reason": "too short"}, key="k")
    again = await boss.post(f"{path}/return", {"reason": "too short"}, key="k")
    other = await boss.post(f"{path}/return", {"reason": "too long"}, key="k")

    assert (first.status, again.status) == (200, 200)
    assert first.data == again.data
    assert (other.status, other.data["code"]) == (422, "key_reused")


@pytest.mark.parametrize("act", ["reject", "return"])
@pytest.mark.parametrize("content", [{}, {"reason": "  "}, None])
async def test_a_no_needs_a_reason(
    site: Site, asker: Program, boss: Program, act: str, content: object
) -> None:
    path = await asked(site, asker)

    said = await boss.post(f"{path}/{act}", content)

    assert said.status == 422
    assert (await asker.get(path)).data["waiting_for"] == "approval"


async def test_a_route_of_two_steps_is_walked_back_and_forth(
    site: Site, asker: Program, boss: Program
) -> None:
    other = await site.program(site.office.other_boss)
    async with unit(site.house) as work:
        await put(work, site.office.organisation.id, _TWO_STEPS, ["letter"])
    path = await asked(site, asker)
    assert (await boss.post(f"{path}/question", {"text": "why?"})).status == 200
    assert (await boss.post(f"{path}/approve")).status == 200
    assert (await boss.post(f"{path}/undo")).status == 200
    assert (await boss.post(f"{path}/approve")).status == 200
    nowhere = await other.post(f"{path}/return", {"reason": "no", "to": 2})
    back = await other.post(f"{path}/return", {"reason": "look again", "to": 1})
    named = await boss.post(f"{path}/add", {"person": "@asker"})

    assert (nowhere.status, back.status, named.status) == (409, 200, 409)
    assert (await asker.get(path)).data["route"] == [
        {"step": "Head", "who": ["boss"], "state": "open"},
        {"step": "Accounts", "who": ["other"], "state": "todo"},
    ]
    assert (await boss.post(f"{path}/forward", {"person": "other", "text": "x"})).status == 409
    for program in (boss, other):
        assert (await program.post(f"{path}/approve")).status == 200
    assert (await boss.post(f"{path}/seen")).status == 409


_TWO_STEPS = """
[[routes.letter.steps]]
name = "Head"
who = [{ person = "boss" }]
[[routes.letter.steps]]
name = "Accounts"
who = [{ person = "other" }]
"""


async def test_what_is_rejected_stays_so(site: Site, asker: Program, boss: Program) -> None:
    path = await asked(site, asker)

    assert (await boss.post(f"{path}/reject", {"reason": "no"})).status == 200
    assert (await asker.get(path)).data["state"] == "rejected"
    late = await asker.post(f"{path}/cancel")
    assert (late.status, late.data["code"]) == (409, "conflict")
    assert "rejected" in late.data["detail"]


@pytest.mark.parametrize("given", [{"choice": "warm"}, {"text": "warm"}])
async def test_a_question_is_answered_by_choice_or_in_words(
    site: Site, asker: Program, given: dict[str, str]
) -> None:
    path = await asked(site, asker, "letter ?")
    question = (await asker.get(path)).data["question"]
    first = await asker.post(f"{path}/answer", given, key="k")
    again = await asker.post(f"{path}/answer", given, key="k")
    await site.office.work()
    after = await asker.get(path)

    assert question["text"] == "Which tone?"
    assert [choice["value"] for choice in question["choices"]] == ["warm", "cool"]
    assert (first.status, again.data) == (200, first.data)
    assert (after.data["waiting_for"], after.data["question"]) == ("approval", None)
    assert after.data["fields"] == [{"label": "Letter", "value": "?warm"}]


async def test_a_conversation_can_be_gone_on_with(site: Site, asker: Program) -> None:
    first = await asker.ask("letter ?", thread="order-7")
    await site.office.work()
    path = f"/tasks/{first.data['reference']}"
    thread = (await asker.get(path)).data["thread"]

    said = await asker.ask("warm", thread=thread)

    assert thread == "order-7"
    assert (said.data["outcome"], said.data["reference"]) == ("done", first.data["reference"])


async def test_only_who_asked_answers(site: Site, asker: Program, boss: Program) -> None:
    path = await asked(site, asker, "letter ?")

    for given in ({"choice": "warm"}, {"text": "warm"}):
        said = await boss.post(f"{path}/answer", given)

        assert said.status == 403
        assert "Asker" in said.data["detail"]


async def test_answers_to_nothing_are_refused(site: Site, asker: Program) -> None:
    path = await asked(site, asker, "letter ?")
    unknown = await asker.post(f"{path}/answer", {"choice": "loud"})
    both = await asker.post(f"{path}/answer", {"choice": "warm", "text": "warm"})
    neither = await asker.post(f"{path}/answer", {})
    await asker.post(f"{path}/answer", {"choice": "warm"})
    late = [await asker.post(f"{path}/answer", given) for given in ({"choice": "x"}, {"text": "x"})]

    assert [each.status for each in (unknown, both, neither)] == [422, 422, 422]
    assert {each.status for each in late} == {409}


async def test_what_was_asked_elsewhere_is_answered_there_in_words(
    site: Site, asker: Program
) -> None:
    answer = await site.office.say("letter ?")
    await site.office.work()
    path = f"/tasks/{answer.reference}"

    in_words = await asker.post(f"{path}/answer", {"text": "warm"})
    by_choice = await asker.post(f"{path}/answer", {"choice": "warm"})

    assert (in_words.status, by_choice.status) == (409, 200)


async def test_cancel_and_retry_are_those_of_the_chat(
    site: Site, asker: Program, boss: Program
) -> None:
    site.office.trouble.errors.append(Permanent("no ink"))
    path = await asked(site, asker)
    failed = await asker.get(path)
    forbidden = await boss.post(f"{path}/cancel")
    again = await asker.post(f"{path}/retry")
    await site.office.work()
    pointless = await asker.post(f"{path}/retry")
    gone = await asker.post(f"{path}/cancel")

    assert (failed.data["state"], failed.data["failure"]) == ("failed", "no ink")
    assert "retry" in failed.data["links"]
    assert [each.status for each in (forbidden, again, pointless, gone)] == [403, 200, 409, 200]
    assert (await asker.get(path)).data["state"] == "cancelled"


@pytest.mark.parametrize("act", ["", "/approve", "/cancel", "/retry", "/documents/L-2026-0001"])
async def test_another_organisations_task_looks_like_one_that_does_not_exist(
    site: Site, asker: Program, act: str
) -> None:
    path = await asked(site, asker)
    rival = await site.competitor()

    async def tried(at: str) -> Said:
        writes = act and not act.startswith("/documents")
        return await (rival.post(at + act) if writes else rival.get(at + act))

    real, none = await tried(path), await tried("/tasks/999999")

    assert (real.status, none.status) == (404, 404)
    assert real.body.replace(path[7:].encode(), b"?") == none.body.replace(b"999999", b"?")
    assert (await asker.get(path)).data["state"] == "waiting"


@pytest.mark.parametrize("name", ["x", "0", "9" * 18, "9" * 400, "%00", "%23", "1001%20x", "L-1"])
async def test_what_is_no_task_is_not_found(asker: Program, name: str) -> None:
    said = await asker.get(f"/tasks/{name}")

    assert (said.status, said.data["code"]) == (404, "unknown_task")


async def test_documents_are_for_who_asked_and_who_looks_after_them(
    site: Site, asker: Program, boss: Program
) -> None:
    path = await asked(site, boss)
    approver = await site.program(site.office.other_boss)
    await approver.post(f"{path}/approve")
    await site.office.work()
    number = (await asker.get(path)).data["documents"][0]["number"]

    assert (await asker.get(f"{path}/documents/{number}")).status == 403
    assert (await approver.get(f"{path}/documents/{number}")).status == 200
    missing = await boss.get(f"{path}/documents/L-1999-0001")
    assert (missing.status, missing.data["code"]) == (404, "unknown_document")


async def test_a_task_of_an_agent_that_is_not_here_is_shown(site: Site, asker: Program) -> None:
    path = await asked(site, asker)
    await site.office.execute("update tasks set agent = 'poem'")

    shown = await asker.get(path)

    assert (shown.status, shown.data["agent"], shown.data["title"]) == (200, "poem", "poem")
