"""Who decides in whose place: adding, listing, taking back, by the operator."""

from typing import TYPE_CHECKING, Annotated

import typer

from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from core.settings import Settings

app = typer.Typer(help="Who decides in whose place (代理).", no_args_is_help=True)

ForPerson = Annotated[str, typer.Option("--for", metavar="PERSON", help="Whose decisions: handle.")]


@app.command("add")
def add_delegation(
    delegate: Annotated[str, typer.Argument(metavar="DELEGATE", help="Who decides: a handle.")],
    period: Annotated[
        list[str],
        typer.Argument(
            metavar="DAYS [KIND…]", help="12/1-12/5, tomorrow …; and kinds: quote expense."
        ),
    ],
    person: ForPerson,
    organisation: OfOrganisation = None,
) -> None:
    """Have somebody decide in a person's place, from 00:00 to 23:59 of these days where they
    live."""

    async def command(settings: "Settings") -> int:
        from audit.event import SYSTEM
        from core.delegates import make_by_text
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            whose = await find_person(opened, organisation, person)
            to = await find_person(opened, organisation, delegate)
            async with unit(opened.house) as work:
                said = await make_by_text(
                    work, opened.house, whose, to, " ".join(period), whose.today(), SYSTEM
                )
        say(said)
        return Exit.DONE

    run(command)


@app.command("list")
def list_delegations(
    person: Annotated[
        str | None, typer.Option("--for", metavar="PERSON", help="Of or to whom: a handle.")
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """List the delegations that count now or will."""

    async def command(settings: "Settings") -> int:
        from core.approvals.delegating import standing
        from core.delegates import listed
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await standing(connection, company.id)
            if person is not None:
                who = await find_person(opened, organisation, person)
                found = [each for each in found if who.id in {each.person_id, each.delegate_id}]
            if as_json:
                rows = [
                    {
                        "person": each.person,
                        "delegate": each.delegate,
                        "since": each.since.isoformat(),
                        "until": each.until.isoformat(),
                        "forms": sorted(each.forms),
                    }
                    for each in found
                ]
                print_json({"organisation": company.slug, "delegations": rows})
            else:
                say(listed(opened.house, found))
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("revoke")
def revoke_delegation(
    person: ForPerson,
    delegate: Annotated[
        str | None, typer.Argument(metavar="DELEGATE", help="To whom; left out: all.")
    ] = None,
    organisation: OfOrganisation = None,
) -> None:
    """Take back what a person gave to a delegate; what had moved comes back."""

    async def command(settings: "Settings") -> int:
        from audit.event import SYSTEM
        from core.approvals.delegating import revoke
        from core.delegates import told_revoked
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            whose = await find_person(opened, organisation, person)
            to = await find_person(opened, organisation, delegate) if delegate else None
            async with unit(opened.house) as work:
                found = await revoke(work, whose, to, SYSTEM)
        say(told_revoked(found))
        return Exit.DONE

    run(command)
