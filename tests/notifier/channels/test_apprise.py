"""apprise's mere yes or no, as what there is to do about it."""

import json
from collections.abc import AsyncIterator

import pytest

from core.errors import MiyabiError, OutcomeUnknown, Permanent, TryLater, Unreachable
from core.settings import Settings
from notifier.channels.apprise import channel, meaning
from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.notifier.channels.posts import OPEN, posting, told_as


@pytest.fixture
async def ntfy() -> AsyncIterator[Receiver]:
    """A server of ntfy's, as far as apprise looks at it."""
    async with Receiver(usual=Answer(200, '{"id": "x"}')) as running:
        yield running


def _url(receiver: Receiver) -> str:
    return f"ntfy://127.0.0.1:{receiver.port}/ops"


async def test_what_the_service_takes_is_sent(ntfy: Receiver) -> None:
    sent = await channel.send(OPEN, posting("ntfy ops", {"url": _url(ntfy)}))

    assert sent.channel == "ntfy ops"
    [(_, content)] = ntfy.calls
    body = str(json.loads(content))
    for said in ("ディスクの空きが少なくなっています", "web1 の空きは 1%", "/var 99% 40 GB"):
        assert said in body


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, TryLater), (503, TryLater), (401, Permanent), (404, Unreachable), (400, Permanent)],
)
async def test_the_status_that_its_plugin_logs_says_what_to_do(
    ntfy: Receiver, status: int, kind: type[MiyabiError]
) -> None:
    ntfy.usual = Answer(status, "{}")
    with pytest.raises(kind) as raised:
        await channel.send(OPEN, posting("ntfy ops", {"url": _url(ntfy)}))

    assert told_as(raised.value) is kind


async def test_what_broke_off_may_have_arrived(ntfy: Receiver) -> None:
    ntfy.usual = Answer(hang_up=True)
    with pytest.raises(OutcomeUnknown):
        await channel.send(OPEN, posting("ntfy ops", {"url": _url(ntfy)}))


async def test_it_is_off_unless_somebody_turned_it_on(ntfy: Receiver) -> None:
    with pytest.raises(Permanent, match="off"):
        await channel.send(Settings(), posting("ntfy ops", {"url": _url(ntfy)}))

    assert channel.wrong(Settings(), "x", {"url": _url(ntfy)}) is not None
    assert ntfy.calls == []


@pytest.mark.parametrize(
    "url",
    ["", "json://localhost", "jsons://10.0.0.1/x", "XML://h", "form://h", "dbus://", "syslog://",
     "apprise://h/t", "rsyslog://h", "nonsense://h", "https://example.com", "slack://short"],
)  # fmt: skip
def test_services_of_this_machine_and_any_address_are_refused(url: str) -> None:
    assert channel.wrong(OPEN, "x", {"url": url}) is not None


def test_a_failure_without_a_word_is_told_as_such_and_no_address_gets_out() -> None:
    silent = meaning([])
    told = meaning(["Failed to send X to tgram://123:secret/1: no, error=403."])

    assert (type(silent), type(told)) == (Permanent, Permanent)
    assert "not why" in str(silent)
    assert "secret" not in str(told)
