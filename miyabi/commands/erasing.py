"""Erasing somebody: `miyabi people erase`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import NotAllowed, Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    AsPerson,
    Exit,
    OfOrganisation,
    complain,
    language,
    print_json,
    run,
    say,
)

if TYPE_CHECKING:
    from audit.event import Actor
    from core.erasure import Outcome
    from core.settings import Settings
    from miyabi.session import Session

_WARNING = Words(
    ja="{who} を消去します。元に戻せません。監査ログの個人データは誰にも復号できなくなります。",
    en="{who} will be erased. This can't be undone: nobody will be able to open what the audit log "
    "holds of them.",
    zh="将删除 {who}，无法恢复。审计日志中其个人数据将无法再解密。",
)
_TYPE = Words(
    ja="確認のため {who} と入力してください",
    en="Type {who} to confirm",
    zh="请输入 {who} 以确认",
)
_NOT_CONFIRMED = Words(
    ja="中止しました。確認なしで実行するには --yes を付けてください。",
    en="Nothing was done. Use --yes to go on without being asked.",
    zh="已中止。如需跳过确认，请加上 --yes。",
)
_NO_ADMIN = Words(
    ja="この操作には管理者（admin）の役割が必要です。",
    en="Only an admin may do this.",
    zh="此操作需要管理员（admin）角色。",
)
_ERASED = Words(
    ja="消去しました。監査ログと書類では {name} と表示されます。",
    en="Erased. The audit log and what is kept call them {name} from now on.",
    zh="已删除。在审计日志和保留的文件中显示为 {name}。",
)
_AGAIN = Words(
    ja="消去済みです（{name}）。", en="Erased before ({name}).", zh="此前已删除（{name}）。"
)
_KEPT = Words(
    ja="法令により {until} まで保存する発行済み書類: {n}件（{numbers}）",
    en="Issued documents that the law keeps until {until}: {n} ({numbers})",
    zh="依法保存至 {until} 的已签发文件: {n}件（{numbers}）",
)
_ELSEWHERE = Words(
    ja="チャットに投稿済みのメッセージ、連携先の台帳、書き出したファイル、バックアップは"
    "対象外です（docs/audit-erasure.md）。",
    en="Not reached: what is posted in the chat, ledgers elsewhere, files that were exported, "
    "backups (docs/audit-erasure.md).",
    zh="不包括: 聊天中已发布的消息、外部台账、已导出的文件、备份（docs/audit-erasure.md）。",
)


def erase_person(
    handle: Annotated[
        str, typer.Argument(metavar="HANDLE", help="A handle or an id; also of who has left.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    cancel_tasks: Annotated[
        bool, typer.Option("--cancel-tasks", help="Cancel their tasks that are not over.")
    ] = False,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Erase somebody's personal data for good; run it again if it was interrupted."""

    async def command(settings: "Settings") -> int:
        from core.erasure import erase, find
        from miyabi.session import session

        async with session(settings, sample=False, answer_at_most=_PATIENCE) as opened:
            company = await opened.organisation(organisation)
            actor = await _actor(opened, organisation, as_person)
            async with opened.house.engine.connect() as connection:
                person = await find(connection, company.id, handle)
            if not person.over and not yes:
                _confirm(person.handle)
            outcome = await erase(
                opened.house, company.id, str(person.id), actor=actor, cancel_tasks=cancel_tasks
            )
        if as_json:
            print_json(_data(outcome))
        else:
            _tell(outcome)
        return Exit.DONE

    run(command, as_json=as_json)


_PATIENCE = 600.0
"""Seconds for a statement: names are looked for in all texts."""


async def _actor(opened: "Session", organisation: str | None, name: str | None) -> "Actor":
    """Who does it: by `--as` an admin, else whoever runs this installation."""
    import getpass

    from audit.event import Actor
    from miyabi.commands.people import find_person

    account = f"terminal:{getpass.getuser()}"
    if name is None:
        return Actor(None, account)
    company = await opened.organisation(organisation)
    person = await find_person(opened, organisation, await opened.handle_of(company, name))
    if not person.may("admin"):
        raise NotAllowed(_NO_ADMIN)
    return Actor(person.id, account)


def _confirm(handle: str) -> None:
    """Raises Refused unless a person says so."""
    complain(_WARNING.fill(who=handle))
    if not sys.stdin.isatty():
        raise Refused(_NOT_CONFIRMED)
    typed = typer.prompt(_TYPE.fill(who=handle).to(language()), err=True)
    if typed.strip() != handle:
        raise Refused(_NOT_CONFIRMED)


def _data(outcome: "Outcome") -> dict[str, object]:
    return {
        "person": str(outcome.person_id),
        "name": outcome.name,
        "again": outcome.again,
        "tasks": outcome.tasks,
        "documents_kept": list(outcome.kept),
        "kept_until": outcome.kept_until,
    }


def _tell(outcome: "Outcome") -> None:
    say((_AGAIN if outcome.again else _ERASED).fill(name=outcome.name))
    if outcome.kept:
        numbers = ", ".join(outcome.kept[:10]) + (" …" if len(outcome.kept) > 10 else "")
        say(_KEPT.fill(until=outcome.kept_until, n=len(outcome.kept), numbers=numbers))
    if not outcome.again:
        say(_ELSEWHERE)
