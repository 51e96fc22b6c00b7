"""The address of a channel's webhook: told, changed, and tried out."""

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.line.description import Json
from tests.fakes.line.signing import signed_headers
from tests.fakes.line.world import Answer, Ask, LineError, Operation

_HERE = ("127.0.0.1", "localhost")


def get(ask: Ask) -> Answer:
    if not ask.channel.endpoint:
        raise LineError(404, "Webhook endpoint is not found")
    return Answer({"endpoint": ask.channel.endpoint, "active": ask.channel.endpoint_active})


def put(ask: Ask) -> Answer:
    if not ask.body["endpoint"].startswith("https://"):
        ask.refuse(["endpoint: must be https"])
    ask.channel.endpoint = ask.body["endpoint"]
    return Answer({})


async def try_out(ask: Ask, session: aiohttp.ClientSession) -> Answer:
    """What LINE finds when it calls the webhook without events; nothing outside is called."""
    channel = ask.channel
    address = urlsplit(ask.body.get("endpoint") or channel.endpoint)
    if not address.netloc:
        raise LineError(404, "Webhook endpoint is not found")
    url = address.geturl()
    if channel.served_at is not None:
        url = channel.served_at + address.path
    elif address.hostname not in _HERE:
        return _found(ask, 0, "COULD_NOT_CONNECT", "nothing is served there")
    body = json.dumps({"destination": channel.destination, "events": []}).encode()
    try:
        headers = signed_headers(channel.secret, body)
        timeout = aiohttp.ClientTimeout(total=2)
        async with session.post(url, data=body, headers=headers, timeout=timeout) as answer:
            reason = "OK" if answer.status == 200 else "ERROR_STATUS_CODE"
            return _found(ask, answer.status, reason, str(answer.status))
    except TimeoutError:
        return _found(ask, 0, "REQUEST_TIMEOUT", "no answer in time")
    except aiohttp.ClientError as error:
        return _found(ask, 0, "COULD_NOT_CONNECT", str(error))


def _found(ask: Ask, status: int, reason: str, detail: str) -> Answer:
    at = datetime.fromtimestamp(ask.world.now(), UTC)
    found: Json = {"success": status == 200, "timestamp": at.isoformat(timespec="milliseconds")}
    return Answer(found | {"statusCode": status, "reason": reason, "detail": detail})


OPERATIONS: dict[str, Operation] = {"getWebhookEndpoint": get, "setWebhookEndpoint": put}
