"""A conversation in the terminal: what is typed goes in, what comes is shown, as on any platform.

Where a program types (stdin is a pipe), each line is followed to its end before the next is read.
"""

import asyncio
import contextlib
import sys
import termios
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from core.commands import fold, read_command
from core.errors import Refused
from core.files_sent import WHAT_FOR
from core.organisations import Organisation
from core.views import TaskView
from core.words import Words
from miyabi.commands.frame import complain, say
from miyabi.commands.screen import show_message, show_notice, show_posting
from miyabi.follow import OVERLAP, Feed, Inbox, Notices, Posting, follow
from miyabi.report import documents
from miyabi.session import Session
from miyabi.talk import Talk, answer_question, see

_WELCOME = Words(
    ja="{who} さんとして話しています。依頼をそのまま書いてください"
    "（/help で使い方、Ctrl-D で終了）。",
    en="You speak as {who}. Just type what you want (/help tells more, Ctrl-D leaves).",
    zh="您正以 {who} 的身份对话。请直接输入请求（/help 查看用法，Ctrl-D 退出）。",
)
_HELP = Words(
    ja="/as 名前 … 別の人として話す\n/new 内容 … 質問に答えずに新しく依頼する\n"
    "/file パス … 直前の依頼にファイルを付ける\n/quit … 終了\n"
    "質問には番号か言葉で答えます。承認は「approve #1042」。",
    en="/as NAME: speak as somebody else\n/new TEXT: a new request, not an answer\n"
    "/file PATH: send a file for the latest request\n/quit: leave\n"
    "Questions are answered by number or in words. To approve: “approve #1042”.",
    zh="/as 姓名: 以其他人的身份说话\n/new 内容: 新请求（不作为回答）\n"
    "/file 路径: 为最近的请求添加文件\n/quit: 退出\n"
    "问题可用编号或文字回答。批准请输入“approve #1042”。",
)
_NO_SUCH_WORD = Words(
    ja="「{word}」は使えません。/help を見てください。",
    en="There is no {word}. See /help.",
    zh="没有 {word}。请查看 /help。",
)


@dataclass(slots=True)
class Conversation:
    """One person at the keyboard at a time, and what each of them has been shown."""

    session: Session
    organisation: Organisation
    handle: str
    waits: bool
    began: datetime
    _inboxes: dict[str, Inbox] = field(default_factory=dict)
    _notices: dict[str, Notices] = field(default_factory=dict)
    _asking: dict[str, UUID] = field(default_factory=dict)
    _latest: dict[str, UUID] = field(default_factory=dict)
    _issued: list[UUID] = field(default_factory=list)

    @property
    def talk(self) -> Talk:
        return Talk(self.session, self.organisation, self.handle)

    async def inbox(self) -> Inbox:
        """What comes for whoever is speaking, from the first time they spoke on."""
        if self.handle not in self._inboxes:
            inbox = Inbox(self.session.house, self.organisation.id, account=self.handle)
            # Who joins later is shown what came for them since the conversation began.
            inbox.since = self.began + OVERLAP
            self._inboxes[self.handle] = inbox
            notices = Notices(self.session.house, self.organisation.id, self.handle)
            notices.since = inbox.since
            self._notices[self.handle] = notices
        return self._inboxes[self.handle]

    def show(self, posting: Posting) -> None:
        """Show what came, and remember what was asked."""
        show_posting(posting)
        if posting.kind == "question":
            self._asking[self.handle] = posting.task_id
        if posting.kind == "result":
            self._issued.append(posting.task_id)

    async def show_files(self) -> None:
        """Write what was issued to disk: a terminal has no other way to hand a file over."""
        while self._issued:
            view = await see(self.session, self.organisation, self._issued.pop())
            for document in await documents(self.session, self.organisation, view):
                say(str(document["path"]))

    async def show_news(self) -> None:
        """Show all that has come since."""
        for posting in await (await self.inbox()).fresh():
            self.show(posting)
        for message in await self._notices[self.handle].fresh():
            show_notice(message)
        await self.show_files()

    async def hear(self, line: str) -> bool:
        """Do what was typed. False where the person leaves."""
        word, _, rest = line.strip().partition(" ")
        if not word:
            return True
        if word in {"/quit", "/exit"}:
            return False
        if word == "/help":
            say(_HELP)
        elif word == "/as" and rest.strip():
            self.handle = await self.session.handle_of(self.organisation, rest.strip())
            say(_WELCOME.fill(who=self.handle))
            await self.show_news()
        elif word == "/new" and rest.strip():
            await self._say(rest)
        elif word == "/file" and rest.strip():
            await self._send(Path(rest.strip()))
        elif word.startswith("/") and fold(word) != "/miyabi":
            complain(_NO_SUCH_WORD.fill(word=word))
        else:
            await self._say_or_answer(line)
        return True

    async def _say_or_answer(self, line: str) -> None:
        """An answer to what was asked last, unless it is a command or names an agent."""
        asked = await self._question()
        if asked is None or self._is_command(line):
            await self._say(line)
            return
        answer = await answer_question(self.talk, asked, line)
        show_message(answer.message)
        await self._follow(answer.task_id)

    async def _question(self) -> TaskView | None:
        task_id = self._asking.get(self.handle)
        view = await see(self.session, self.organisation, task_id) if task_id else None
        return view if view is not None and view.question is not None else None

    def _is_command(self, line: str) -> bool:
        agents = self.session.house.agents
        command = read_command(line, agents.values())
        if command.name is None:
            return False
        if not command.is_agent:
            return True
        first = fold(line.strip().split(maxsplit=1)[0])
        return first.startswith(("/", "!")) or first in agents[command.name].words

    async def _send(self, path: Path) -> None:
        """Send a file in the thread of what was asked for last, or say why that can't be done."""
        task_id = self._latest.get(self.handle)
        if task_id is None:
            complain(WHAT_FOR)
            return
        view = await see(self.session, self.organisation, task_id)
        try:
            answer = await self.talk.send(view, [path])
        except Refused as refused:
            complain(refused.words)
            return
        show_message(answer.message)
        await self._follow(answer.task_id)

    async def _say(self, line: str) -> None:
        answer = await self.talk.say(line)
        if answer.outcome == "taken" and answer.task_id is not None:
            self._latest[self.handle] = answer.task_id
        show_message(answer.message)
        if answer.opens is not None:
            say(self.session.house.agent(answer.opens).example)
        await self._follow(answer.task_id if answer.outcome != "told" else None)

    async def _follow(self, task_id: UUID | None) -> None:
        if task_id is not None and self.waits:
            await follow(self.session, await self.inbox(), task_id, self.show)
            await self.show_files()


async def converse(session: Session, organisation: Organisation, handle: str) -> None:
    """Talk until the person leaves."""
    typed = sys.stdin.isatty()
    conversation = Conversation(session, organisation, handle, not typed, datetime.now(UTC))
    if typed:
        say(_WELCOME.fill(who=handle))
    showing = asyncio.create_task(_show_as_it_comes(conversation)) if typed else None
    try:
        async for line in typed_lines():
            if not await conversation.hear(line):
                return
    finally:
        if showing is not None:
            showing.cancel()


async def _show_as_it_comes(conversation: Conversation) -> None:
    feed = Feed(conversation.session.built.redis, conversation.organisation.id)
    while True:
        await conversation.show_news()
        await feed.ring()


async def typed_lines() -> AsyncIterator[str]:
    """Lines of stdin, read beside the loop. The thread may wait for a key when we leave."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        if sys.stdin.isatty():
            import readline  # noqa: F401  # gives `input` its line editing

            with contextlib.suppress(EOFError):
                while True:
                    put(input("> "))
        else:
            for line in sys.stdin:
                put(line)
        put(None)

    with _terminal_restored():
        threading.Thread(target=read, daemon=True).start()
        while (line := await lines.get()) is not None:
            yield line


@contextlib.contextmanager
def _terminal_restored() -> Iterator[None]:
    """Line editing changes the terminal, and a thread that still waits does not change it back."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
