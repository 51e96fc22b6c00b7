"""What a person at the terminal sees of a task: its messages as they come, and how it ended."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.words import Words
from miyabi.commands.frame import language, terminal

if TYPE_CHECKING:
    from core.messages import Message
    from miyabi.follow import Posting

_DOCUMENT = Words(ja="書類", en="Document", zh="文件")
_DRAFT = Words(ja="下書き", en="Draft", zh="草稿")
_PAGES = Words(ja="{n}ページ", en="{n} page(s)", zh="{n}页")
_AUDIT = Words(ja="監査ログ", en="Audit log", zh="审计日志")
_TO_HAVE_IT = Words(
    ja="対応するには: miyabi notify ack {notice}",
    en="To say that you have it: miyabi notify ack {notice}",
    zh="由您处理时: miyabi notify ack {notice}",
)
_VERIFIED = Words(ja="検証済み（{n}件）", en="verified ({n} events)", zh="已验证（{n}条）")
_FAULTY = Words(
    ja="改ざんの疑いあり（「miyabi audit verify」で確認）",
    en="NOT VERIFIED (see “miyabi audit verify”)",
    zh="可能被篡改（请用“miyabi audit verify”确认）",
)


def show_message(message: "Message | None") -> None:
    """A message whole."""
    from bot.console.render import render

    if message is not None:
        terminal().print(render(message))


def show_posting(posting: "Posting") -> None:
    """What came, in the form that fits its kind: a flash update is a line, the rest is whole.

    The thread's opening repeats what the person has just typed, and a card without buttons what
    the flash update says.
    """
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    from bot.console.render import progress_line, render

    message = posting.message
    if posting.kind == "flash":
        line = Text()
        line.append(f"#{posting.reference} ", style="bold")
        line.append_text(progress_line(message.progress))
        if message.note:
            line.append(f"  {message.note}", style="yellow")
        terminal().print(line, soft_wrap=True)
    elif posting.kind == "card":
        if message.buttons:
            terminal().print(Rule(style="dim"))
            terminal().print(Padding(render(message), (0, 2), expand=False))
            terminal().print(Rule(style="dim"))
    elif posting.kind in {"question", "failure"}:
        if message.buttons or message.select or not message.note:
            terminal().print(render(message))
    elif posting.kind in {"file", "enclosed"}:
        terminal().print(Text(message.text, style="yellow"))
    elif posting.kind == "result":
        terminal().print(Text(message.text, style="bold green"))


def show_notice(message: "Message") -> None:
    """What the hub tells, and how it is acknowledged: nothing can be pressed here."""
    from rich.text import Text

    from core.acknowledging import ACK

    show_message(message)
    for button in message.buttons:
        if button.action == ACK:
            words = _TO_HAVE_IT.fill(notice=button.value)
            terminal().print(Text(words.to(language()), style="dim"), soft_wrap=True)


def show_end(report: Mapping[str, Any]) -> None:
    """Where the files are, and what the audit log says."""
    from rich.text import Text

    documents: Sequence[Mapping[str, Any]] = report["documents"]
    for document in documents:
        label = (_DRAFT if document["draft"] else _DOCUMENT).to(language())
        pages = _PAGES.fill(n=document["pages"]).to(language())
        # Never wrapped: a path is there to be copied.
        terminal().print(Text(f"{label}: {document['path']} ({pages})"), soft_wrap=True)
    audit = report["audit"]
    verdict = _VERIFIED.fill(n=audit["events"]) if audit["verified"] else _FAULTY
    style = "" if audit["verified"] else "bold red"
    terminal().print(Text(f"{_AUDIT.to(language())}: {verdict.to(language())}", style=style))


def show_nothing(posting: "Posting") -> None:
    """With `--json` only the report at the end is shown."""
