"""A process of its own that presses one button for several people at once, when it is told to.

`python -m tests.miyabi.clicker STEP HANDLE…`: says "ready", waits for a line, presses, and prints
what each was answered.
"""

import asyncio
import json
import sys

from core import intake
from core.ids import new_id
from core.inbound import Click, Inbound, Sender, Spot
from core.settings import read_settings
from miyabi.build import open_house
from miyabi.embedded import Services


async def main(step: str, handles: list[str]) -> None:
    settings = read_settings()
    assert settings.database_url is not None
    assert settings.redis_url is not None
    database = settings.database_url.get_secret_value()
    services = Services(database, database, settings.redis_url.get_secret_value())
    intake.CLICK_PATIENCE = 30  # the speed of a machine with all of these on it is not the question
    async with open_house(settings, services) as built:
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        answers = await asyncio.gather(
            *(
                intake.accept(
                    built.house,
                    Inbound(
                        Sender("console", "local", handle), Spot("t1"), new_id().hex,
                        click=Click("approve", step),
                    ),
                )
                for handle in handles
            )
        )  # fmt: skip
        said = [(a.outcome, a.message.text if a.message else "") for a in answers]
        _say(json.dumps(said))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
