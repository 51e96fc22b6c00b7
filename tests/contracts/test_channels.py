"""What every channel that only sends keeps, over the very walk by which the product finds them."""

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from core.channel import Channel
from core.errors import MiyabiError, Permanent, TryLater, Unreachable
from core.messages import Message
from core.ports import Sent
from core.settings import Settings
from miyabi.plugins import all_channels, all_platforms
from tests.fakes.teams.workflow import ACCEPTED, Workflow
from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.notifier.channels.posts import CLOSED, NOTICE, OPEN, posting, told_as

CHANNELS = all_channels()
FOLDER = Path(__file__).resolve().parents[2] / "notifier" / "channels"
every_channel = pytest.mark.parametrize("name", sorted(CHANNELS))
HOSTILE = Message(
    "<script>alert(1)</script> @everyone <at>all</at> {{7*7}} \u202e\u0000 '; drop table x; --\n"
    * 20,
    title="${jndi:ldap://evil.example} [x](javascript:alert(1))",
)

Ground = Callable[[], AbstractAsyncContextManager[tuple[Receiver, dict[str, str]]]]


@asynccontextmanager
async def _webhook() -> AsyncIterator[tuple[Receiver, dict[str, str]]]:
    made = dict(CHANNELS["webhook"].makes())
    async with Receiver(secret=made["secret"]) as running:
        yield running, {**made, "url": running.url}


@asynccontextmanager
async def _teams() -> AsyncIterator[tuple[Receiver, dict[str, str]]]:
    async with Workflow(usual=ACCEPTED) as running:
        yield running, {"url": running.address}


@asynccontextmanager
async def _apprise() -> AsyncIterator[tuple[Receiver, dict[str, str]]]:
    async with Receiver(usual=Answer(200, "{}")) as running:
        yield running, {"url": f"ntfy://127.0.0.1:{running.port}/ops"}


GROUNDS: dict[str, Ground] = {"webhook": _webhook, "teams": _teams, "apprise": _apprise}
"""Where each can be tried: a fake that takes what it sends, and the secrets that open it."""


@every_channel
def test_it_can_be_tried_here(name: str) -> None:
    assert name in GROUNDS, f"give {name} a fake in tests/contracts/test_channels.py"


@every_channel
def test_it_is_one_file_that_bears_its_name_and_no_platforms(name: str) -> None:
    channel = CHANNELS[name]

    assert (FOLDER / f"{name}.py").is_file()
    assert name not in all_platforms()
    assert channel.secret <= channel.settings.keys()
    assert all(channel.settings.values()), "each setting says what it is for"
    assert set(channel.makes()) <= channel.secret
    assert channel.rate > 0


@every_channel
def test_loading_it_loads_no_library_of_its_service(name: str) -> None:
    """Whoever never uses it does not wait for it; `apprise` takes half a second."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    heads = [node for node in tree.body if isinstance(node, ast.Import)]

    assert "apprise" not in {alias.name for node in heads for alias in node.names}


@every_channel
async def test_what_arrives_is_told_with_an_id(name: str) -> None:
    async with GROUNDS[name]() as (fake, secrets):
        sent = await CHANNELS[name].send(OPEN, posting("ops", secrets))

    assert isinstance(sent, Sent)
    assert sent.id
    assert len(fake.calls) == 1


@every_channel
async def test_whatever_somebody_typed_arrives(name: str) -> None:
    async with GROUNDS[name]() as (fake, secrets):
        await CHANNELS[name].send(OPEN, posting("ops", secrets, HOSTILE))
        long = Message("長い" * 20_000, title="長い" * 2_000)
        await CHANNELS[name].send(
            OPEN, posting("ops", secrets, long, {**NOTICE, "id": "2"}, key="2")
        )

    assert len(fake.calls) >= 2


@every_channel
@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Unreachable), (410, Unreachable), (403, Permanent), (429, TryLater), (500, TryLater)],
)
async def test_each_refusal_is_what_the_house_knows(
    name: str, status: int, kind: type[MiyabiError]
) -> None:
    async with GROUNDS[name]() as (fake, secrets):
        fake.usual = Answer(status, "no", {"Retry-After": "7"})
        with pytest.raises(MiyabiError) as raised:
            await CHANNELS[name].send(OPEN, posting("ops", secrets))

    assert told_as(raised.value) is kind
    for secret in secrets.values():
        assert secret not in str(raised.value)


@every_channel
async def test_what_broke_off_is_not_taken_for_done_or_undone(name: str) -> None:
    async with GROUNDS[name]() as (fake, secrets):
        fake.usual = Answer(hang_up=True)
        with pytest.raises(MiyabiError) as raised:
            await CHANNELS[name].send(OPEN, posting("ops", secrets))

    assert type(raised.value).__name__ == "OutcomeUnknown"


@every_channel
async def test_a_key_that_is_the_same_is_told_so_where_the_channel_says_it(name: str) -> None:
    async with GROUNDS[name]() as (fake, secrets):
        for again in (False, True):
            await CHANNELS[name].send(OPEN, posting("ops", secrets, again=again))
        first, second = (body for _, body in fake.calls)

    if CHANNELS[name].same_key:
        assert first == second
        assert len(fake.bodies) == 1


@every_channel
async def test_nothing_is_sent_into_our_own_network(name: str) -> None:
    """apprise can't be kept from it, and so is off there."""
    async with GROUNDS[name]() as (fake, secrets):
        with pytest.raises(Permanent):
            await CHANNELS[name].send(CLOSED, posting("ops", secrets))
        refused = CHANNELS[name].wrong(CLOSED, "ops", secrets)

    assert fake.calls == []
    assert refused is not None


@every_channel
def test_an_address_that_is_none_is_told_before_it_is_kept(name: str) -> None:
    channel: Channel = CHANNELS[name]

    for url in ("", "nonsense", "javascript:alert(1)"):
        assert channel.wrong(Settings(), url, {"url": url}) is not None
