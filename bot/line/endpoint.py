"""Where LINE delivers a channel's events: told, set, and tried out by LINE itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.line.channels import Channels
from bot.line.refusals import LineRefused
from bot.line.webhook import PATH


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address, and whether LINE uses it (“Use webhook” in the console)."""

    address: str
    active: bool


def address_of(public_url: str | None) -> str | None:
    """Where LINE is to deliver; None without a public address that LINE takes (https)."""
    if public_url is None or not public_url.startswith("https://"):
        return None
    return public_url.rstrip("/") + PATH


async def endpoint(channels: Channels, workspace: str) -> Endpoint | None:
    """The endpoint as LINE has it, None where it has none. Raises Permanent or TryLater."""
    try:
        found = await _ask(
            channels, workspace, lambda line, given: line.get_webhook_endpoint(**given)
        )
    except LineRefused as refused:
        if refused.status == 404:
            return None
        raise
    return Endpoint(str(found.endpoint), bool(found.active))


async def set_endpoint(channels: Channels, workspace: str, address: str) -> None:
    """Have LINE deliver there. Raises Permanent or TryLater."""

    def call(line: Any, given: Mapping[str, Any]) -> Awaitable[Any]:
        from linebot.v3.messaging import SetWebhookEndpointRequest

        body = SetWebhookEndpointRequest(endpoint=address)
        return line.set_webhook_endpoint(body, **given)  # type: ignore[no-any-return]

    await _ask(channels, workspace, call)


async def tried_out(channels: Channels, workspace: str) -> str:
    """What goes wrong when LINE calls the endpoint, in LINE's words; empty where all is well.

    Raises Permanent or TryLater where LINE could not be asked.
    """

    def call(line: Any, given: Mapping[str, Any]) -> Awaitable[Any]:
        from linebot.v3.messaging import TestWebhookEndpointRequest

        return line.test_webhook_endpoint(TestWebhookEndpointRequest(), **given)  # type: ignore[no-any-return]

    found = await _ask(channels, workspace, call)
    return "" if found.success else f"{found.reason} {found.detail}"


async def _ask(
    channels: Channels,
    workspace: str,
    call: Callable[[Any, Mapping[str, Any]], Awaitable[Any]],
) -> Any:
    return await channels.speak(workspace, lambda token: channels.api.ask(token, call))
