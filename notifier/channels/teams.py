"""A channel or chat in Microsoft Teams, by the workflow “when a Teams webhook request is received”.

The workflow's address holds a signature, so it is kept as a secret. A workflow answers 202 before
it has posted, and knows no key of ours: whether what got lost was posted nobody can tell. Nothing
that was posted can be changed. Workflows post to private channels only on behalf of a person.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.channel import Channel, Posting
from core.errors import MiyabiError, Permanent, Unreachable
from core.ports import Sent
from core.settings import Settings
from core.words import Words
from notifier.hub.adaptive import post_of
from notifier.hub.guarded import REFUSED, Reply, busy, post, refusal, wrong_address

_AT_MOST = timedelta(seconds=12)
_OFF = Words(
    ja="Teams のワークフローが無効か、削除されています（{code}）。",
    en="The workflow in Teams is turned off or deleted ({code}).",
    zh="Teams 工作流已停用或已删除（{code}）。",
)
_NO_URL = Words(
    ja="ワークフローのアドレス（url）を指定してください。",
    en="Give the workflow's address (url).",
    zh="请指定工作流地址（url）。",
)
_ENDED = frozenset(
    {"WorkflowTriggerIsNotEnabled", "WorkflowNotFound", "WorkflowTriggerNotFound", "FlowSuspended"}
)
"""Codes by which Power Automate says that there is no such workflow any more."""

# What connectors of Teams answered with a 200, and proxies before them still do.
_INSIDE = re.compile(r"failed with error|returned error|HTTP error", re.IGNORECASE)
_STATUS = re.compile(r"HTTP error (\d{3})", re.IGNORECASE)


async def send(settings: Settings, posting: Posting) -> Sent:
    """Post its card. Raises as core.channel says."""
    body = post_of(posting.message, posting.notice)
    headers = {"Content-Type": "application/json"}
    url = posting.secrets.get("url", "")
    reply = await post(settings.notify, url, body, headers, _AT_MOST)
    problem = meaning(reply)
    if problem is not None:
        raise problem
    run = reply.headers.get("x-ms-workflow-run-id", "")
    return Sent(posting.address, run or posting.key)


def meaning(reply: Reply) -> MiyabiError | None:
    """What an answer means; None where the card was taken. A 200 may hold an error."""
    error = _error(reply)
    code = str(error.get("code", "")) if error else ""
    if code in _ENDED:
        return Unreachable(_OFF.fill(code=code))
    problem = refusal(reply)
    if problem is not None:
        return problem
    if error:
        return Permanent(REFUSED.fill(status=reply.status, why=code or reply.text()))
    if _INSIDE.search(reply.text()) is None:
        return None
    found = _STATUS.search(reply.text())
    status = int(found[1]) if found else reply.status
    if status == 429 or status >= 500:
        return busy(reply, status)
    return Permanent(REFUSED.fill(status=status, why=reply.text()))


def _error(reply: Reply) -> Mapping[str, Any] | None:
    try:
        said = json.loads(reply.body)
    except ValueError:
        return None
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else ({"code": str(error)} if error else None)


def wrong(settings: Settings, address: str, given: Mapping[str, str]) -> Words | None:
    """What is wrong with a workflow's address."""
    url = given.get("url", "")
    return wrong_address(settings.notify, url) if url else _NO_URL


channel = Channel(
    "teams",
    send,
    wrong,
    {"url": "the workflow's address, with its signature"},
    frozenset({"url"}),
    # One a second a place: Teams takes 4 a second of a webhook, and counts per channel beside.
    rate=1.0,
    at_most=_AT_MOST + timedelta(seconds=1),
    preview=lambda posting: post_of(posting.message, posting.notice).decode(),
)
