"""The session that is written down in the samples, played as it stands there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.discord.limits import Json

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "specs" / "samples"
SESSION = SAMPLES / "discord-gateway-session.json"


def frames() -> list[Json]:
    """All frames of the session, in order."""
    found: list[Json] = json.loads(SESSION.read_text("utf-8"))["frames"]
    return found


def events() -> Iterator[Json]:
    """What happens in it, without what the gateway itself says first."""
    for frame in frames():
        if frame["op"] == 0 and frame["t"] not in ("READY", "GUILD_CREATE", "RESUMED"):
            yield frame


async def play(discord: "FakeDiscord", start: int = 0, stop: int | None = None) -> None:
    """Let the session's events happen, as they are written there."""
    world = discord.world
    for frame in list(events())[start:stop]:
        body, channel = frame["d"], world.channels[frame["d"]["channel_id"]]
        person = body["author"] if "author" in body else body["member"]["user"]
        user = world.user(person["id"])
        user.name = person["global_name"]
        if frame["t"] == "INTERACTION_CREATE":
            # A token of its own for each: in the sample all have the same one.
            body = body | {"token": f"{body['token']}-{body['id']}"}
            world.keep(body, user, channel, None)
        world.dispatch(frame["t"], body, channel)
        await asyncio.sleep(0)
