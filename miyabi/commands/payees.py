"""Where people and suppliers are paid: bank accounts, kept encrypted."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    language,
    print_json,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from core.bank_accounts import Kept, Whose
    from core.paid import PaidFor
    from core.settings import Settings
    from miyabi.session import Session

app = typer.Typer(help="Bank accounts of those who are paid.", no_args_is_help=True)

_SET = Words(
    ja="{name} の口座を登録しました: {place} {holder}",
    en="{name} is paid at: {place} {holder}",
    zh="已登记 {name} 的账户: {place} {holder}",
)
_REMOVED = Words(
    ja="{name} の口座の登録を削除しました。",
    en="The account of {name} is forgotten.",
    zh="已删除 {name} 的账户登记。",
)
_NONE = Words(
    ja="{name} の口座は登録されていません。",
    en="No account of {name} is known.",
    zh="未登记 {name} 的账户。",
)

_CLOSED = Words(
    ja="銀行・支店がなくなりました",
    en="the bank or branch is no more",
    zh="该银行或分行已不存在",
)

_STANDINGS = {
    "open": Words(ja="未払い", en="open", zh="未支付"),
    "under way": Words(ja="振込手続き中", en="under way", zh="汇款处理中"),
    "paid": Words(ja="振込データ発行済み", en="file handed out", zh="汇款数据已签发"),
    "not paid": Words(ja="対象外", en="not paid", zh="不支付"),
}

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A person's handle; with --supplier a payee's name.")
]
IsSupplier = Annotated[
    bool, typer.Option("--supplier", help="Somebody outside, called by this name in claims.")
]


@app.command("list")
def list_payees(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List whose account is known; of the number only the end is shown."""

    async def command(settings: "Settings") -> int:
        from core.bank_accounts import BankAccounts
        from core.secret_key import secret_key
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            accounts = BankAccounts(opened.house.engine, company.id, secret_key(settings))
            async with opened.house.engine.connect() as connection:
                rows = [_row(kept) for kept in await accounts.all_of(connection)]
        if as_json:
            print_json({"organisation": company.slug, "payees": rows})
        else:
            _show(rows)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("set")
def set_payee(
    name: Name,
    bank: Annotated[str, typer.Option("--bank", help="Code of 4 digits.")],
    branch: Annotated[str, typer.Option("--branch", help="Code of 3 digits.")],
    kana: Annotated[str, typer.Option("--kana", help="The holder's name, in kana.")],
    number: Annotated[str, typer.Option("--number", prompt=True, help="Asked for if left out.")],
    kind: Annotated[
        str, typer.Option("--kind", help="ordinary (普通), current (当座), savings (貯蓄), other.")
    ] = "ordinary",
    supplier: IsSupplier = False,
    organisation: OfOrganisation = None,
) -> None:
    """Set where somebody is paid, in place of what there was."""

    async def command(settings: "Settings") -> int:
        from core.bank_accounts import BankAccounts, place
        from core.secret_key import secret_key
        from core.transfer import banks
        from core.unit import unit
        from miyabi.session import session

        account = banks.account(bank, branch, kind, number, kana)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            whose = await _whose(opened, company.id, name, supplier=supplier)
            accounts = BankAccounts(opened.house.engine, company.id, secret_key(settings))
            async with unit(opened.house) as work:
                await accounts.put(work, whose, account)
        say(_SET.fill(name=name, place=place(account), holder=account.holder))
        return Exit.DONE

    run(command)


@app.command("remove")
def remove_payee(
    name: Name, supplier: IsSupplier = False, organisation: OfOrganisation = None
) -> None:
    """Forget where somebody is paid."""

    async def command(settings: "Settings") -> int:
        from core.bank_accounts import BankAccounts
        from core.secret_key import secret_key
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            whose = await _whose(opened, company.id, name, supplier=supplier)
            accounts = BankAccounts(opened.house.engine, company.id, secret_key(settings))
            async with unit(opened.house) as work:
                removed = await accounts.remove(work, whose)
        say((_REMOVED if removed else _NONE).fill(name=name))
        return Exit.DONE if removed else Exit.REFUSED

    run(command)


@app.command("owed")
def list_owed(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List what is to be paid and what is paid, the newest first."""

    async def command(settings: "Settings") -> int:
        from core.codec import dump
        from core.paid import standings
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await standings(connection, company.id)
        if as_json:
            rows = [dump(each) for each in found]
            print_json({"organisation": company.slug, "owed": rows})
        else:
            _show_owed(found)
        return Exit.DONE

    run(command, as_json=as_json)


def _show_owed(found: "Sequence[PaidFor]") -> None:
    from rich.table import Table
    from rich.text import Text

    from core.money import yen

    grid = Table.grid(padding=(0, 2))
    for each in found:
        by = each.number or (f"#{each.run}" if each.run else "")
        cells = (f"#{each.reference}", each.name, yen(each.amount, language()))
        state = _STANDINGS[each.standing].to(language())
        grid.add_row(*map(Text, (*cells, state, by, str(each.pay_on or ""))))
    terminal().print(grid)


async def _whose(
    opened: "Session", organisation_id: "UUID", name: str, *, supplier: bool
) -> "Whose":
    from core.bank_accounts import Whose
    from core.erasure import NOBODY
    from core.errors import Unknown
    from core.people import by_handle

    if supplier:
        return Whose(None, name.strip())
    async with opened.house.engine.connect() as connection:
        person = await by_handle(connection, organisation_id, name)
    if person is None:
        raise Unknown(NOBODY.fill(who=name[:80]))
    return Whose(person.id)


def _row(kept: "Kept") -> dict[str, object]:
    from core.bank_accounts import masked, place

    row: dict[str, object] = {"name": kept.name, "supplier": kept.whose.person_id is None}
    account = kept.account
    if account is None:
        return {**row, "holder": None, "place": None, "closed": True}
    return {
        **row,
        "bank": account.bank,
        "branch": account.branch,
        "kind": account.kind,
        "number": masked(account.number),
        "holder": account.holder,
        "place": place(account),
        "closed": False,
    }


def _show(rows: list[dict[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        place = _CLOSED.to(language()) if row["closed"] else str(row["place"])
        grid.add_row(Text(str(row["name"])), Text(place), Text(str(row["holder"] or "")))
    terminal().print(grid)
