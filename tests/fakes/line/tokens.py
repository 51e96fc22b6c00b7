"""Channel access tokens: issued, looked at and revoked. Their errors have a shape of their own."""

import secrets
from collections.abc import Callable
from typing import Literal

from tests.fakes.line.description import Json
from tests.fakes.line.limits import SHORT_LIFE, STATELESS_LIFE
from tests.fakes.line.state import Channel, Token
from tests.fakes.line.world import LineError, World


def _refused(error: str, why: str) -> LineError:
    refused = LineError(400, error)
    refused.answer = {"error": error, "error_description": why}
    return refused


def _channel(world: World, form: Json) -> Channel:
    for channel in world.channels.values():
        if channel.id == form.get("client_id"):
            if channel.secret == form.get("client_secret"):
                return channel
            raise _refused("invalid_client", "invalid client_secret")
    raise _refused("invalid_client", "invalid client_id")


def _issued(world: World, form: Json, kind: Literal["short", "stateless"], life: int) -> Json:
    channel = _channel(world, form)
    token = Token(f"{kind}-{secrets.token_hex(12)}", world.now() + life, kind)
    channel.tokens[token.value] = token
    return {"access_token": token.value, "expires_in": life, "token_type": "Bearer"}


def stateless(world: World, form: Json) -> Json:
    return _issued(world, form, "stateless", STATELESS_LIFE)


def short(world: World, form: Json) -> Json:
    return _issued(world, form, "short", SHORT_LIFE)


def verify(world: World, form: Json) -> Json:
    channel = world.by_token(str(form.get("access_token")))
    if channel is None:
        raise _refused("invalid_request", "access token expired")
    left = channel.tokens[form["access_token"]].until - world.now()
    return {"client_id": channel.id, "expires_in": int(min(left, 2**40)), "scope": "P CM"}


def revoke(world: World, form: Json) -> Json:
    channel = world.by_token(str(form.get("access_token")))
    if channel is not None and channel.tokens[form["access_token"]].kind != "stateless":
        del channel.tokens[form["access_token"]]
    return {}


OPERATIONS: dict[str, Callable[[World, Json], Json]] = {
    "issueStatelessChannelToken": stateless,
    "issueChannelToken": short,
    "verifyChannelToken": verify,
    "verifyChannelTokenByJWT": verify,
    "revokeChannelToken": revoke,
    "revokeChannelTokenByJWT": revoke,
}
