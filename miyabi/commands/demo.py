"""`miyabi demo`: one quotation from the request to the approved PDF, told step by step."""

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, complain, language, print_json, run, terminal

if TYPE_CHECKING:
    from uuid import UUID

    from core.settings import Settings
    from miyabi.session import Session

REQUEST = "株式会社ABC商事 モニター5台 キーボード10個 お茶3ケース 納期12/25"

_STARTING = Words(
    ja="サンプル会社を用意しています（PostgreSQLとValkeyは .miyabi の中で動きます）…",
    en="Making the sample company ready (PostgreSQL and Valkey run inside of .miyabi) …",
    zh="正在准备示例公司（PostgreSQL 和 Valkey 在 .miyabi 中运行）…",
)
_ASKS = Words(ja="{who} さんの依頼", en="{who} asks", zh="{who} 的请求")
_APPROVES = Words(
    ja="{who} さんが承認（依頼した人は承認できません）",
    en="{who} approves (who asked can't)",
    zh="{who} 批准（申请人不能批准）",
)
_RESULT = Words(ja="結果", en="Result", zh="结果")
_CHECKPOINT = Words(
    ja="監査ログのチェックポイント（署名付き）",
    en="The audit log's checkpoint, signed",
    zh="审计日志的检查点（已签名）",
)
_NEXT = Words(
    ja="次は: miyabi chat（話してみる）、miyabi up（動かしておく）、README.ja.md（Slackにつなぐ）",
    en="Next: miyabi chat (talk), miyabi up (keep it running), README.md (connect Slack)",
    zh="下一步: miyabi chat（对话）、miyabi up（持续运行）、README.md（连接 Slack）",
)
_WRONG = Words(
    ja="デモの結果が想定と違います: {why}",
    en="The demo did not come out as it should: {why}",
    zh="演示结果与预期不符: {why}",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to ask for.")] = REQUEST,
    as_json: AsJson = False,
) -> None:
    """Show one quotation from the request to the approved PDF, on sample data."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session

        if not as_json:
            _heading(_STARTING)
        async with session(_sample(settings), working=True) as opened:
            found = await _play(opened, text, as_json=as_json)
        return _judge(found, as_json=as_json)

    run(command, as_json=as_json)


def _sample(settings: "Settings") -> "Settings":
    """The embedded servers and the sample price list: a demo issues nothing on a real database."""
    from core.settings import LedgerSettings, PriceListSettings

    return settings.model_copy(
        update={
            "database_url": None,
            "database_owner_url": None,
            "redis_url": None,
            "price_list": PriceListSettings(),
            "ledger": LedgerSettings(),
        }
    )


async def _play(opened: "Session", text: str, *, as_json: bool) -> dict[str, Any]:
    """The play's two scenes; gives the report of the task, or why there is none."""
    from miyabi.commands.screen import show_message, show_nothing, show_posting
    from miyabi.follow import Inbox, follow
    from miyabi.report import report
    from miyabi.talk import Talk, approve, other_approver, see

    show = show_nothing if as_json else show_posting
    company = await opened.organisation()
    handle = await opened.handle_of(company, None)
    names = {person.handle: person.name for person in await opened.everyone(company)}
    if not as_json:
        _heading(_ASKS.fill(who=names[handle]))
        terminal().print(f"  /miyabi quote {text}")
    answer = await Talk(opened, company, handle).say(f"quote {text}")
    if answer.task_id is None:
        return {"state": answer.outcome, "message": answer.message.text if answer.message else ""}
    if not as_json:
        show_message(answer.message)
    inbox = Inbox(opened.house, company.id, task_id=answer.task_id)
    standing = await follow(opened, inbox, answer.task_id, show)
    if standing.waiting_for == "approval":
        view = await see(opened, company, answer.task_id)
        if not as_json:
            _heading(_APPROVES.fill(who=other_approver(view).name))
        await approve(opened, company, view)
        await follow(opened, inbox, answer.task_id, show)
    found = await report(opened, company, answer.task_id)
    return {**found, "checkpoint": await sealed(opened, company.id)}


async def sealed(opened: "Session", organisation_id: "UUID") -> str:
    """The audit log's newest checkpoint, made now: workers take ten seconds for the next."""
    from datetime import timedelta

    from audit.checkpoints import make_due, newest
    from audit.sequencer import backlog, sequence
    from miyabi.signing import signers

    engine = opened.house.engine
    async with engine.connect() as connection:
        for _ in range(100):  # the worker beside may be at it
            if not (await backlog(connection)).events:
                break
            await sequence(engine)
            await asyncio.sleep(0.02)
    await make_due(engine, signers(opened.settings), every=timedelta(0))
    async with engine.connect() as connection:
        checkpoint = await newest(connection, organisation_id)
    return checkpoint.note if checkpoint else ""


def _judge(found: dict[str, Any], *, as_json: bool) -> Exit:
    """Show how it came out. A demo that only looks well would be worth nothing."""
    from miyabi.commands.screen import show_end

    if as_json:
        print_json(found)
    elif "documents" in found:
        _heading(_RESULT)
        if found["total"] is not None:
            terminal().print(f"{found['number']}  {found['total']:,}円", style="bold")
        show_end(found)
        _heading(_CHECKPOINT)
        terminal().print(found["checkpoint"], end="", soft_wrap=True)
    why = _fault(found)
    if why:
        complain(_WRONG.fill(why=why))
        return Exit.FAILED
    if not as_json:
        terminal().print(_NEXT.to(language()), style="dim")
    return Exit.DONE


def _fault(found: dict[str, Any]) -> str:
    """What is off, in a word; empty where nothing is."""
    if found["state"] != "done":
        return str(found.get("failure") or found.get("message") or found["state"])
    if not found["audit"]["verified"] or not found["checkpoint"]:
        return "audit log"
    issued = [document for document in found["documents"] if not document["draft"]]
    whole = [document for document in issued if _sha256(document["path"]) == document["sha256"]]
    return "" if whole and len(whole) == len(issued) else "PDF"


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _heading(words: Words) -> None:
    terminal().print(f"\n▶ {words.to(language())}", style="bold cyan")
