"""What the intake says, as HTTP: one status for each kind of answer."""

from fastapi import Response

from bot.api.door import Visit
from bot.api.models import Answered
from bot.api.problems import Problem, away, no_token
from bot.api.render import address
from core.commands import read_command
from core.inbound import Answer
from core.words import Words

FULL_FOR = "30"  # seconds: by then some of what is under way is done
SAY_WHAT = Words(
    ja="依頼の内容も書いてください（例: {example}）。",
    en="Please say what is wanted, for example: {example}",
    zh="请写明内容（例如: {example}）。",
)


def answered(
    visit: Visit, answer: Answer, response: Response, *, wrong: int, said: str = ""
) -> Answered:
    """The body of a good answer; its status and headers go into `response`.

    Raises Problem for all others: `wrong` is the status of a refusal that has none of its own,
    `said` the text, where there was one.
    """
    words = answer.message.text if answer.message else ""
    outcome = answer.outcome
    if outcome == "refused":
        raise _refused(answer, words, wrong)
    if outcome == "unavailable":
        raise away()
    if outcome == "unknown_person":  # revoked a moment ago
        raise no_token()
    if outcome == "ignored":
        raise Problem(409)
    if answer.opens is not None:
        example = visit.opening.house.agent(answer.opens).example
        raise Problem(422, SAY_WHAT.fill(example=example), code="incomplete")
    if outcome == "told" and said and not _understood(visit, said):
        raise Problem(422, words, code="unknown_command")
    response.status_code = 202 if outcome == "taken" else 200
    task = address(answer.reference) if answer.reference is not None else None
    if task is not None:
        response.headers["Location"] = task
    if answer.repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return Answered(outcome=outcome, message=words, reference=answer.reference, task=task)


def _understood(visit: Visit, said: str) -> bool:
    return read_command(said, visit.opening.house.agents.values()).name is not None


def _refused(answer: Answer, words: str, wrong: int) -> Problem:
    if answer.refusal == "full":
        return Problem(429, words, headers={"Retry-After": FULL_FOR})
    if answer.refusal == "not_allowed":
        return Problem(403, words)
    if answer.refusal == "unknown":
        return Problem(404, words, code="unknown_task")
    return Problem(wrong, words)
