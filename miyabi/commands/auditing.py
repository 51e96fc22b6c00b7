"""Verifying the audit log, in its database or out of a file; exporting it, and proofs."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.audit_files import (
    NO_FILE,
    Anchored,
    given_keys,
    read_anchors,
    read_file,
    write_file,
)
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    print_json,
    run,
    say,
)

if TYPE_CHECKING:
    from audit.anchored import Reach
    from audit.verifier.notes import Keys
    from audit.verifier.verdict import Verdict
    from core.settings import Settings
    from miyabi.session import Session

ANSWER_AT_MOST = 3600.0
"""Seconds for one question to the database, which here may be about all events there are."""

_NEEDS_KEY = Words(
    ja="公開鍵を --key で指定してください。ファイルの中の鍵は信用しません。",
    en="Give the public key with --key: keys inside the file are not believed.",
    zh="请用 --key 指定公钥：不信任文件内的密钥。",
)
_NO_EVENT = Words(
    ja="イベント {event} はまだ署名されたツリーにありません。",
    en="Event {event} is not in the signed tree (yet).",
    zh="事件 {event} 尚不在已签名的树中。",
)
_NOTHING = Words(ja="書き出せません: {why}", en="Nothing was exported: {why}", zh="无法导出: {why}")
_EXPORTED = Words(
    ja="{path} に {n}件（葉 {first}〜{last}、チェックポイント {size}）を書き出しました。",
    en="{n} events (leaves {first} to {last}, under the checkpoint of {size}) are in {path}.",
    zh="已将 {n} 条（叶 {first} 至 {last}，检查点 {size}）导出到 {path}。",
)
_STAMPS_UNREAD = Words(
    ja="タイムスタンプ{n}件は検証していません。証明書を --tsa で指定してください。",
    en="{n} time stamps were not looked at: give the authority's certificate with --tsa.",
    zh="有{n}个时间戳未验证：请用 --tsa 指定机构证书。",
)
_NO_CHECKPOINT = Words(
    ja="チェックポイント {size} はありません。",
    en="There is no checkpoint of size {size}.",
    zh="没有大小为 {size} 的检查点。",
)

# across organisations where none is named: the operator verifies all. Each task, person and company
# has its stream: one that is gone as a whole, with its head, is missed.
_EXPECTED = """
    select known.id from (
        select id, organisation_id from tasks union all select id, organisation_id from people
        union all select id, id from organisations
    ) as known
    where (:organisation_id is null or known.organisation_id = :organisation_id)
        and not exists (select from audit_events e where e.stream = known.id)
        and not exists (select from audit_archived_runs r where r.stream = known.id)
    limit 100
""".replace(":organisation_id", "cast(:organisation_id as uuid)")

GivenKeys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="VKEY|FILE", help="A public key, or a file of them; repeatable."),
]
Anchors = Annotated[
    list[Path] | None,
    typer.Option(
        "--anchors",
        metavar="PATH",
        help="What was kept elsewhere: notes, mails (.eml), time stamps (.tsr), a folder of them;"
        " repeatable.",
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option("--tsa", metavar="PEM", help="Certificates that time stamps must lead up to."),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where to (default: stdout).")
]


def register(audit: typer.Typer) -> None:
    """Add the commands below `miyabi audit`."""
    for command in (verify, export, prove, check, consistency):
        audit.command()(command)


def verify(
    organisation: OfOrganisation = None,
    since: Annotated[datetime | None, typer.Option("--since", help="Only what came after.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="A file made by `export`.")
    ] = None,
    key: GivenKeys = None,
    anchors: Anchors = None,
    tsa: Authority = None,
    archives: Annotated[
        bool, typer.Option("--archives", help="Read every archived month and verify it, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the audit log: events, hashes, chains, tree, signatures; each fault has an exit code.

    0 whole; 10 malformed, 11 bad signature, 12 modified, 13 reordered, 14 missing, 15 inserted,
    16 tail cut, 17 inconsistent checkpoints, 18 unknown key; 19 whole, but its tail not anchored.
    """

    async def command(settings: "Settings") -> int:
        from miyabi.commands.audit_words import (
            exit_code,
            reach_data,
            tell,
            tell_reach,
            verdict_data,
        )

        kept = read_anchors(anchors, tsa)
        reached: Sequence[Reach] = ()
        if bundle is not None:
            from audit.verifier.bundle import verify_bundle

            if not key:
                raise Refused(_NEEDS_KEY)
            read_file(bundle, at_most=0)
            verdict = verify_bundle(bundle, given_keys(key), anchors=kept.notes, stamps=kept.stamps)
        else:
            verdict, reached = await _verify(settings, organisation, since, key, kept, archives)
        if as_json:
            print_json(
                {**verdict_data(verdict), "anchored": [reach_data(each) for each in reached]}
            )
        else:
            tell(verdict)
            tell_reach(reached)
        if kept.unread:
            complain(_STAMPS_UNREAD.fill(n=kept.unread))
        return exit_code(verdict)

    run(command, as_json=as_json)


async def _verify(
    settings: "Settings",
    organisation: str | None,
    since: datetime | None,
    given: Sequence[str] | None,
    kept: "Anchored",
    archives: bool,
) -> "tuple[Verdict, Sequence[Reach]]":
    from audit.anchored import reach, used
    from audit.verifier.live import verify_database
    from audit.verifier.verdict import Fault, Kind
    from core.archive import look_into_archives
    from core.db import fetch_all
    from miyabi.session import session

    async with session(settings, sample=False, answer_at_most=ANSWER_AT_MOST) as opened:
        of = (await opened.organisation(organisation)).id if organisation else None
        keys = given_keys(given) if given else await _own_keys(opened)
        moment = since.astimezone() if since is not None else None
        verdict = await verify_database(
            opened.house.engine,
            keys,
            organisation_id=of,
            since=moment,
            anchors=kept.notes,
            stamps=kept.stamps,
        )
        async with opened.house.engine.connect() as connection:
            for row in await fetch_all(connection, _EXPECTED, {"organisation_id": of}):
                about = "all events of this stream are gone"
                verdict.add(Fault(Kind.MISSING, about, stream=row.id))
            reached = await reach(connection, await used(connection), of)
        await look_into_archives(opened.house.store, verdict, keys, whole=archives)
    return verdict, reached


async def _own_keys(opened: "Session") -> "Keys":
    """Whose signatures this installation believes of itself: its own keys'.

    Where they are kept elsewhere (a worker has them), those that the database lists: then nothing
    is proven against whoever can write there, and an auditor gives `--key`.
    """
    from sqlalchemy import text

    from audit.verifier.notes import keyring, read_vkey
    from miyabi.signing import signers

    found = [signer.vkey for signer in signers(opened.settings)]
    if not found:
        async with opened.house.engine.connect() as connection:
            found = [row.vkey for row in await connection.execute(text(_LISTED))]
    return keyring(read_vkey(vkey) for vkey in found)


_LISTED = "select vkey from audit_keys"  # across organisations: keys sign for all


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    organisation: OfOrganisation = None,
    first: Annotated[int, typer.Option("--first", min=0, help="The first leaf.")] = 0,
    end: Annotated[int | None, typer.Option("--end", help="The leaf to stop before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write events with all that it takes to verify them offline (`verify --bundle`)."""

    async def command(settings: "Settings") -> int:
        from audit import bundle
        from miyabi.session import reading

        async with reading(settings, organisation, answer_at_most=ANSWER_AT_MOST) as (
            of,
            connection,
        ):
            await connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                made = await bundle.export(connection, of, path, first=first, end=end)
            except LookupError as error:
                raise Refused(_NOTHING.fill(why=str(error))) from error
            except OSError as error:
                raise Refused(NO_FILE.fill(path=path, why=str(error))) from error
        data = {"first": made.first, "end": made.end, "size": made.size, "path": str(path)}
        if as_json:
            print_json(data)
        else:
            say(_EXPORTED.fill(n=made.end - made.first, last=made.end - 1, **data))
        return Exit.DONE

    run(command, as_json=as_json)


def prove(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    organisation: OfOrganisation = None,
    out: Out = None,
) -> None:
    """Prove that an event is in the signed log; `check` verifies that by the public key alone."""

    async def command(settings: "Settings") -> int:
        from uuid import UUID

        from audit.proof_files import inclusion_file
        from miyabi.session import reading

        async with reading(settings, organisation) as (of, connection):
            try:
                proof = await inclusion_file(connection, of, UUID(event))
            except (LookupError, ValueError) as error:
                raise Refused(_NO_EVENT.fill(event=event)) from error
        write_file(out, proof)
        return Exit.DONE

    run(command)


def consistency(
    old: Annotated[int, typer.Argument(metavar="OLD", help="The size of a checkpoint.")],
    new: Annotated[int, typer.Argument(metavar="NEW", help="The size of a later one.")],
    organisation: OfOrganisation = None,
    out: Out = None,
) -> None:
    """Prove that one checkpoint continues another; `check` verifies that."""

    async def command(settings: "Settings") -> int:
        from audit.proof_files import consistency_file
        from miyabi.session import reading

        async with reading(settings, organisation) as (of, connection):
            try:
                proof = await consistency_file(connection, of, old, new)
            except LookupError as error:
                raise Refused(_NO_CHECKPOINT.fill(size=str(error))) from error
        write_file(out, proof)
        return Exit.DONE

    run(command)


def check(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="A file made by `prove`.")],
    key: GivenKeys = None,
    as_json: AsJson = False,
) -> None:
    """Verify a proof by nothing but the public key. Exit codes as of `verify`."""

    async def command(settings: "Settings") -> int:
        from audit.verifier.proof import check_proof
        from audit.verifier.verdict import Fault, Verdict
        from miyabi.commands.audit_words import (
            exit_code,
            proven_data,
            tell,
            tell_proven,
            verdict_data,
        )

        if not key:
            raise Refused(_NEEDS_KEY)
        found = check_proof(read_file(proof), given_keys(key))
        if isinstance(found, Fault):
            verdict = Verdict()
            verdict.add(found)
            if as_json:
                print_json(verdict_data(verdict))
            else:
                tell(verdict)
            return exit_code(verdict)
        if as_json:
            print_json(proven_data(found))
        else:
            tell_proven(found)
        return Exit.DONE

    run(command, as_json=as_json)
