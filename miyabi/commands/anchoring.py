"""Where the audit log is anchored: how far, a file brought up to date, what a bucket keeps."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.audit_files import NO_FILE
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say

if TYPE_CHECKING:
    from core.settings import Settings

_CARRIED = Words(
    ja="チェックポイント{n}件を {path} に追記しました。",
    en="{n} checkpoints were added to {path}.",
    zh="已将 {n} 个检查点追加到 {path}。",
)
_NONE = Words(
    ja="アンカーは設定されていません。docs/audit-anchors.md を参照してください。",
    en="No anchor is set up: see docs/audit-anchors.md.",
    zh="未设置锚定。请参阅 docs/audit-anchors.md。",
)
_NO_BUCKET = Words(
    ja="設定に s3_bucket がありません。",
    en="No s3_bucket is set.",
    zh="未设置 s3_bucket。",
)
_AWAY = Words(
    ja="バケットから取得できません: {why}",
    en="The bucket gave nothing: {why}",
    zh="无法从存储桶获取: {why}",
)
_SAVED = Words(
    ja="{n}個のファイルを {path} に保存しました。",
    en="{n} files were saved in {path}.",
    zh="已将 {n} 个文件保存到 {path}。",
)


def register(audit: typer.Typer) -> None:
    """Add the commands below `miyabi audit`."""
    for command in (anchor, anchors, kept, stamps):
        audit.command()(command)


def anchor(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file on somebody else's disk.")],
    organisation: OfOrganisation = None,
) -> None:
    """Bring a file elsewhere the checkpoints it lacks (for `verify --anchors`); run it often."""

    async def command(settings: "Settings") -> int:
        from audit.anchors import FileAnchor, carry
        from miyabi.session import reading

        async with reading(settings, organisation) as (of, connection):
            try:
                carried = await carry(connection, of, FileAnchor(path))
            except OSError as error:
                raise Refused(NO_FILE.fill(path=path, why=str(error))) from error
        say(_CARRIED.fill(n=carried, path=path))
        return Exit.DONE

    run(command)


def anchors(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """How far each anchor of the settings is. Exit code 1 where one is behind."""

    async def command(settings: "Settings") -> int:
        from audit.anchored import reach
        from miyabi import anchors as ours
        from miyabi.anchor_check import is_behind
        from miyabi.commands.audit_words import reach_data, tell_reach
        from miyabi.session import session

        known = ours.anchors(settings.anchors)
        async with session(settings, sample=False) as opened:
            of = (await opened.organisation(organisation)).id if organisation else None
            async with opened.house.engine.connect() as connection:
                reached = await reach(connection, known.names, of)
        well = not any(is_behind(each, known) for each in reached)
        if as_json:
            found = [{**reach_data(each), "well": not is_behind(each, known)} for each in reached]
            print_json({"well": well, "anchors": list(known.names), "anchored": found})
        elif known.all:
            tell_reach(reached)
        else:
            say(_NONE)
        return Exit.DONE if well else Exit.FAILED

    run(command, as_json=as_json)


def kept(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to save it all.")],
    as_json: AsJson = False,
) -> None:
    """Fetch all that the bucket of the settings keeps, each version of it (`verify --anchors DIR`).

    Needs nothing but the bucket: also an auditor with a key of their own can.
    """

    async def command(settings: "Settings") -> int:
        from miyabi.anchors import bucket

        found = bucket(settings.anchors)
        if found is None:
            raise Refused(_NO_BUCKET)
        try:
            files = await found.kept()
        except OSError as error:
            raise Refused(_AWAY.fill(why=str(error))) from error
        _save(folder, files, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


def stamps(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to save them.")],
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Save the time stamps of checkpoints, each beside its note, to be kept elsewhere."""

    async def command(settings: "Settings") -> int:
        from audit import anchored
        from miyabi.session import reading

        async with reading(settings, organisation) as (of, connection):
            found = await anchored.stamps(connection, of)
        files = {f"{each.size}.note": each.note.encode() for each in found}
        files |= {f"{each.size}.tsr": each.token for each in found}
        _save(folder, files, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


def _save(folder: Path, files: Mapping[str, bytes], *, as_json: bool) -> None:
    """Write files whose names are paths below the folder. Raises Refused."""
    try:
        for name, content in files.items():
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise OSError(f"{name}: not a name below a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise Refused(NO_FILE.fill(path=folder, why=str(error))) from error
    if as_json:
        print_json({"path": str(folder), "files": sorted(files)})
    else:
        say(_SAVED.fill(n=len(files), path=folder))
