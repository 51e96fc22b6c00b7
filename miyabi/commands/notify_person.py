"""How somebody is notified: looking at it, and setting it as they would in a chat."""

from typing import TYPE_CHECKING, Annotated

import typer

from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from core.settings import Settings

ThePerson = Annotated[str, typer.Argument(metavar="PERSON", help="A handle.")]


def register(app: typer.Typer) -> None:
    """Add the commands to those of notifications."""
    app.command("show")(show_person)
    app.command("set")(set_person)


def show_person(
    person: ThePerson, organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """Show how somebody is notified: channels, quiet hours, digests, mutes, by whose clock."""

    async def command(settings: "Settings") -> int:
        from dataclasses import replace

        from core.notify_shown import as_json as in_json
        from core.notify_shown import shown, standing
        from miyabi.commands.frame import language
        from miyabi.commands.screen import show_message
        from miyabi.session import session

        async with session(settings) as opened:
            who = await find_person(opened, organisation, person)
            async with opened.house.engine.connect() as connection:
                found = await standing(connection, who.organisation_id, who.id)
        if as_json:
            print_json({"person": who.handle, **in_json(found)})
        else:
            show_message(replace(shown(found, language()), buttons=()))
        return Exit.DONE

    run(command, as_json=as_json)


def set_person(
    person: ThePerson,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS…",
            help="As in a chat: quiet 22:00-8:00 | digest daily 9:00 | mute #1042 until tomorrow |"
            " channels high email,slack | language en | zone Asia/Taipei | reset …",
        ),
    ],
    organisation: OfOrganisation = None,
) -> None:
    """Set how somebody is notified, in the words that they would say themselves."""

    async def command(settings: "Settings") -> int:
        from audit.event import SYSTEM
        from core.notify_commands import by_text
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            who = await find_person(opened, organisation, person)
            async with unit(opened.house) as work:
                message, _ = await by_text(work, who, " ".join(words), SYSTEM)
        say(message.text)
        return Exit.DONE

    run(command)
