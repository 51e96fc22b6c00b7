"""Keys that sign the audit log: making one, listing, taking one out."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import AsJson, Exit, complain, print_json, run, say, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.settings import Settings

app = typer.Typer(help="Keys that sign the audit log.", no_args_is_help=True)

_MADE = Words(
    ja="鍵を {path} に追加しました。ワーカーを再起動すると署名に使われます。"
    "上の公開鍵を検証者に渡してください。",
    en="The key was added to {path}; workers sign with it once they are started again. Give the "
    "public key above to whoever verifies.",
    zh="密钥已添加到 {path}。重启工作进程后用于签名。请将上面的公钥交给验证者。",
)
_PRINTED = Words(
    ja="秘密鍵です。ワーカーの MIYABI_AUDIT_KEY に設定してください。公開鍵: {vkey}",
    en="This is the secret. Set it as MIYABI_AUDIT_KEY of the workers. Public key: {vkey}",
    zh="这是私钥。请设置为工作进程的 MIYABI_AUDIT_KEY。公钥: {vkey}",
)
_BY_VARIABLE = Words(
    ja="鍵は MIYABI_AUDIT_KEY にあります。「miyabi audit key new --print」で作り、"
    "空白で区切って加えてください。",
    en="Keys come by MIYABI_AUDIT_KEY. Make one with “miyabi audit key new --print” and add it "
    "there, with a space between.",
    zh="密钥来自 MIYABI_AUDIT_KEY。请用“miyabi audit key new --print”生成，并以空格分隔添加。",
)
_NO_NAME = Words(
    ja="鍵の名前に空白と + は使えません。",
    en="The name of a key has neither spaces nor +.",
    zh="密钥名称不能包含空格或 +。",
)
_RETIRED = Words(
    ja="鍵 {vkey} を外しました。ワーカーを再起動してください。公開鍵は一覧に残ります。",
    en="The key {vkey} signs no more once workers are started again. It stays in the list.",
    zh="密钥 {vkey} 已移除。请重启工作进程。公钥保留在列表中。",
)
_NOT_THERE = Words(
    ja="その公開鍵の鍵は {path} にありません。",
    en="There is no key of that public key in {path}.",
    zh="{path} 中没有该公钥对应的密钥。",
)
_LAST = Words(
    ja="最後の鍵は外せません。先に「miyabi audit key new」で新しい鍵を作ってください。",
    en="This is the last key. Make a new one first, with “miyabi audit key new”.",
    zh="这是最后一个密钥。请先用“miyabi audit key new”生成新密钥。",
)
_REWRAPPED = Words(
    ja="個人の鍵 {n}個を新しいマスター鍵で包み直しました。",
    en="Keys of persons that the new master key wraps now: {n}",
    zh="已用新的主密钥重新包装个人密钥 {n} 个。",
)
_NO_MASTER = Words(
    ja="{subject} の鍵を包んだマスター鍵がありません。古い鍵も設定してください。",
    en="The master key that wrapped the key of {subject} is not set. Set the old one as well.",
    zh="缺少包装 {subject} 密钥的主密钥。请同时设置旧密钥。",
)
_NONE = Words(ja="鍵はありません。", en="There are no keys.", zh="没有密钥。")
_SIGNS = Words(ja="署名中", en="signs", zh="签名中")
_ELSEWHERE = Words(ja="ここにはない", en="not here", zh="不在此处")
_ENDED = Words(ja="終了 {at}", en="retired {at}", zh="已停用 {at}")


@app.command("new")
def new(
    name: Annotated[str, typer.Option("--name", help="What signatures are made as.")] = "miyabi",
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the secret key; keep it nowhere.")
    ] = False,
) -> None:
    """Make a key and add it to the key file, beside those that sign already."""

    async def command(settings: "Settings") -> int:
        from audit.keys import add_to_file
        from audit.note import NoteKey
        from miyabi.signing import key_file, signers

        try:
            key = NoteKey.made(name)
        except ValueError:
            complain(_NO_NAME)
            return Exit.REFUSED
        if only_print:
            say(key.written())
            complain(_PRINTED.fill(vkey=key.vkey))
            return Exit.DONE
        if settings.audit.key is not None:
            complain(_BY_VARIABLE)
            return Exit.REFUSED
        path = key_file(settings)
        if path.exists():
            signers(settings)  # what can't be read is not written over
        add_to_file(path, key)
        say(key.vkey)
        complain(_MADE.fill(path=path))
        return Exit.DONE

    run(command)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The public keys that sign here, and all that ever signed, for those who verify."""

    async def command(settings: "Settings") -> int:
        found = await _known(settings)
        if as_json:
            print_json({"keys": found})
        else:
            _show(found)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("retire")
def retire(
    vkey: Annotated[str, typer.Argument(metavar="VKEY", help="Its public key, as `list` shows.")],
) -> None:
    """Take a key out of the key file; another has to be there. What it signed stays valid."""

    async def command(settings: "Settings") -> int:
        from audit.keys import retire, take_from_file
        from miyabi.session import session
        from miyabi.signing import key_file, signers

        if settings.audit.key is not None:
            complain(_BY_VARIABLE)
            return Exit.REFUSED
        path = key_file(settings)
        here = [each.vkey for each in signers(settings)]
        if vkey not in here:
            complain(_NOT_THERE.fill(path=path))
            return Exit.REFUSED
        if len(here) == 1:
            complain(_LAST)
            return Exit.REFUSED
        async with session(settings, sample=False) as opened:
            take_from_file(path, vkey)
            async with opened.house.engine.begin() as connection:
                await retire(connection, vkey)
        say(_RETIRED.fill(vkey=vkey))
        return Exit.DONE

    run(command)


@app.command("rewrap")
def rewrap() -> None:
    """Wrap the keys of persons by the first master key; then the others can be taken out."""

    async def command(settings: "Settings") -> int:
        from audit.subjects import WrongMasterKey
        from miyabi.session import session

        async with session(settings, sample=False) as opened:
            try:
                async with opened.house.engine.begin() as connection:
                    changed = await opened.house.personal.rewrap(connection)
            except WrongMasterKey as error:
                raise Refused(_NO_MASTER.fill(subject=str(error))) from error
        say(_REWRAPPED.fill(n=changed))
        return Exit.DONE

    run(command)


async def _known(settings: "Settings") -> "list[dict[str, object]]":
    from audit.keys import every
    from miyabi.session import session
    from miyabi.signing import signers

    here = [each.vkey for each in signers(settings)]
    async with (
        session(settings, sample=False) as opened,
        opened.house.engine.connect() as connection,
    ):
        listed = await every(connection)
    found: list[dict[str, object]] = [
        {
            "vkey": each.vkey,
            "valid_from": each.valid_from.isoformat(),
            "retired_at": each.retired_at.isoformat() if each.retired_at else None,
            "signs_here": each.vkey in here,
        }
        for each in listed
    ]
    known = {each.vkey for each in listed}
    for vkey in here:
        if vkey not in known:
            found.append({"vkey": vkey, "valid_from": None, "retired_at": None, "signs_here": True})
    return found


def _show(found: "Sequence[dict[str, object]]") -> None:
    from rich.text import Text

    from miyabi.commands.frame import language

    if not found:
        say(_NONE)
    for each in found:
        ended = each["retired_at"]
        state = _ENDED.fill(at=ended) if ended else _SIGNS if each["signs_here"] else _ELSEWHERE
        terminal().print(Text(f"{each['vkey']}  {state.to(language())}"), soft_wrap=True)
