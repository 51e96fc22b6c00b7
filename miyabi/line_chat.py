"""`miyabi chat --as-line`: a conversation as LINE shows it, with what each message costs.

Where a program types (stdin is a pipe), each line is waited for until all has been said.
"""

import asyncio
import contextlib
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.words import Words
from miyabi.as_line import Trial
from miyabi.chat import typed_lines
from miyabi.commands.frame import complain, say
from miyabi.line_screen import Shown, show

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.fakes.line.driver import Reply

_WELCOME = Words(
    ja="LINEで {who} さんとして話しています（本物のLINEではありません）。/help で使い方、"
    "Ctrl-D で終了。",
    en="You are {who} in LINE (not the real one). /help tells more, Ctrl-D leaves.",
    zh="您正以 {who} 的身份使用 LINE（并非真正的 LINE）。/help 查看用法，Ctrl-D 退出。",
)
_HELP = Words(
    ja="/press 番号（または表示名） … ボタンを押す（日付選択なら /press 番号 2026-12-25）\n"
    "/as 名前 … 別の人になる（登録のない名前なら、連携していない人）\n"
    "/in グループ名 … グループで話す（/in だけで1対1に戻る）。@ で始めるとMiyabiへのメンション\n"
    "/image パス、/file パス … 写真・ファイルを送る\n"
    "/sticker、/block、/unblock\n/quit … 終了",
    en="/press N (or its label): press a button (a date picker: /press N 2026-12-25)\n"
    "/as NAME: be somebody else (a name nobody has: somebody who is not linked)\n"
    "/in GROUP: talk in a group (/in alone: one to one again); begin with @ to mention Miyabi\n"
    "/image PATH, /file PATH: send a picture or a file\n"
    "/sticker, /block, /unblock\n/quit: leave",
    zh="/press 编号（或名称）: 按按钮（选择日期: /press 编号 2026-12-25）\n"
    "/as 姓名: 切换为其他人（未登记的姓名: 未绑定的人）\n"
    "/in 群名: 在群里说话（仅 /in: 回到一对一）。以 @ 开头表示提到 Miyabi\n"
    "/image 路径、/file 路径: 发送图片或文件\n"
    "/sticker、/block、/unblock\n/quit: 退出",
)
_NO_SUCH_WORD = Words(
    ja="「{word}」は使えません。/help を見てください。",
    en="There is no {word}. See /help.",
    zh="没有 {word}。请查看 /help。",
)
_NO_SUCH_BUTTON = Words(
    ja="ボタン「{name}」はありません。",
    en="There is no button “{name}”.",
    zh="没有按钮“{name}”。",
)
_OPENS = Words(ja="開く: {address}", en="It opens {address}", zh="打开: {address}")
_NO_FILE = Words(
    ja="ファイル「{file}」を読めません。",
    en="The file “{file}” can't be read.",
    zh="无法读取文件“{file}”。",
)
_IN_GROUP = Words(
    ja="グループ「{group}」で話しています。",
    en="You talk in the group “{group}”.",
    zh="您正在群“{group}”中说话。",
)

_DATE = re.compile(r" (\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2})?)$")
_LOOK = 0.1  # seconds between two looks at what has come
_QUIET = 0.4  # seconds without news after which all has been said
_ANSWERED = 0.7  # seconds that a first answer may take, beside what it waits for by the settings
_PATIENCE = 60.0
_DELIVERIES = 3
_AGAIN = 1.0  # seconds until a webhook that was not taken is delivered again


@dataclass(slots=True)
class Conversation:
    """Who is at the keyboard, where they talk, and what was shown so far."""

    trial: Trial
    who: str
    waits: bool
    group: str | None = None
    shown: Shown = field(default_factory=Shown)

    async def show_news(self) -> bool:
        """Show what has come to anybody since; whether anything had."""
        return show(self.trial, self.shown)

    async def hear(self, line: str) -> bool:
        """Do what was typed. False where the person leaves."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not word:
            return True
        if word in {"/quit", "/exit"}:
            return False
        if word == "/help":
            say(_HELP)
        elif word == "/as" and rest:
            self.who, self.group = self.trial.named(rest), None
            self.trial.line.home.user(self.who)
            say(_WELCOME.fill(who=self.who))
        elif word == "/in":
            await self._go_into(rest)
        elif word.startswith("/"):
            await self._act(word, rest)
        else:
            mention = line.startswith("@")
            words = line[1:].strip() if mention else line
            await self._sent(self.trial.people.say(words, self.who, self.group, mention=mention))
        return True

    async def _go_into(self, group: str) -> None:
        self.group = group or None
        if self.group is None:
            say(_WELCOME.fill(who=self.who))
            return
        say(_IN_GROUP.fill(group=group))
        home = self.trial.line.home
        known = home.place(group) in home.groups
        home.group(group, (self.who,))
        if not known:
            await self._sent(self.trial.people.join(group))

    async def _act(self, word: str, rest: str) -> None:
        people = self.trial.people
        if word == "/press":
            await self._press(rest)
        elif word in {"/image", "/file"} and rest:
            await self._send(word, rest)
        elif word == "/sticker":
            await self._sent(people.sticker(self.who, self.group))
        elif word == "/block":
            await self._sent(people.unfollow(self.who))
        elif word == "/unblock":
            await self._sent(people.follow(self.who))
        else:
            complain(_NO_SUCH_WORD.fill(word=word))

    async def _press(self, rest: str) -> None:
        dated = _DATE.search(rest)
        name = rest[: dated.start()] if dated else rest
        found = self.shown.named(name, self.trial.line.home.place(self.group or self.who))
        if found is None:
            complain(_NO_SUCH_BUTTON.fill(name=name))
        elif found.button.kind == "uri":
            say(_OPENS.fill(address=self.trial.here(found.button.action["uri"])))
        else:
            people = self.trial.people
            await self._sent(
                people.press_button(found.button, self.who, found.chat, dated and dated[1])
            )

    async def _send(self, word: str, name: str) -> None:
        try:
            data = await asyncio.to_thread(_read, name)
        except OSError:
            complain(_NO_FILE.fill(file=name))
            return
        people = self.trial.people
        if word == "/image":
            await self._sent(people.image(data, self.who, self.group))
        else:
            await self._sent(people.file(Path(name).name, data, self.who, self.group))

    async def _sent(self, sending: "Awaitable[Reply]") -> None:
        """Send something, again where it was not taken, as LINE does; where a program types, wait
        until all has been said about it."""
        reply = await sending
        for _ in range(_DELIVERIES):
            if reply.ok:
                break
            await asyncio.sleep(_AGAIN)
            reply = await self.trial.people.redeliver(*reply.events)
        if self.waits:
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        began = news = time.monotonic()
        answered = False
        while time.monotonic() - began < _PATIENCE:
            await asyncio.sleep(_LOOK)
            if await self.show_news() or await self.trial.busy():
                news, answered = time.monotonic(), True
            quiet = _QUIET if answered else self.trial.first_answer + _ANSWERED
            if time.monotonic() - news > quiet:
                return


def _read(name: str) -> bytes:
    return Path(name).expanduser().read_bytes()


async def converse_as_line(trial: Trial, name: str | None) -> None:
    """Talk until the person leaves."""
    typed = sys.stdin.isatty()
    asking = next(person.name for person in trial.everyone if person.may("requester"))
    conversation = Conversation(trial, trial.named(name) if name else asking, not typed)
    trial.line.home.user(conversation.who)
    if typed:
        say(_WELCOME.fill(who=conversation.who))
    showing = asyncio.create_task(_show_as_it_comes(conversation)) if typed else None
    try:
        async for line in typed_lines():
            if not await conversation.hear(line):
                return
    finally:
        if showing is not None:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing


async def _show_as_it_comes(conversation: Conversation) -> None:
    while True:
        await conversation.show_news()
        await asyncio.sleep(_LOOK)
