"""What LINE shows, in the terminal: whose chat, how it came and what that cost, its buttons."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.words import Words
from miyabi.commands.frame import language, terminal

if TYPE_CHECKING:
    from miyabi.as_line import Trial
    from tests.fakes.line.reading import Button
    from tests.fakes.line.state import Said

_REPLY = Words(ja="返信・無料", en="reply, free", zh="回复・免费")
_PUSH = Words(
    ja="プッシュ・{n}通（今月 {used}/{quota}）",
    en="push, {n} message(s) (this month {used}/{quota})",
    zh="推送・{n}条（本月 {used}/{quota}）",
)
_SAME_CALL = Words(ja="同じ送信", en="same call", zh="同一次发送")
_BLOCKED = Words(
    ja="ブロックされているため届きません",
    en="not delivered: blocked",
    zh="已被屏蔽，未送达",
)
_READING = Words(ja="…（入力中の表示）", en="… (loading animation)", zh="…（加载动画）")
_GROUP = Words(ja="グループ {name}", en="group {name}", zh="群 {name}")


@dataclass(frozen=True, slots=True)
class Pressable:
    """A button as it is numbered on the screen, and the chat it is in."""

    button: "Button"
    chat: str


@dataclass(slots=True)
class Shown:
    """How much of each chat was shown, and what can be pressed by its number."""

    seen: dict[str, int] = field(default_factory=dict)
    loading: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    call: str = ""
    buttons: dict[str, Pressable] = field(default_factory=dict)

    def named(self, name: str, chat: str) -> Pressable | None:
        """The button of that number, or the latest in the chat with (the beginning of) a label."""
        from tests.fakes.line.reading import find

        if name in self.buttons or not name:
            return self.buttons.get(name)
        latest = [each for each in reversed(self.buttons.values()) if each.chat == chat]
        button = find([each.button for each in latest], name)
        return next((each for each in latest if each.button is button), None)


def show(trial: "Trial", shown: Shown) -> bool:
    """Show what has come since; whether anything had."""
    home = trial.line.home
    found = False
    for chat in list(home.chats.values()):
        if chat.loading_until > shown.loading.get(chat.id, 0.0):
            shown.loading[chat.id] = chat.loading_until
            _title(_name(trial, chat.id), _READING.to(language()))
        new = chat.messages[shown.seen.get(chat.id, 0) :]
        shown.seen[chat.id] = len(chat.messages)
        for said in new:
            if said.by == "bot":
                found = True
                _message(trial, shown, said)
    for said in home.lost[shown.lost :]:
        found = True
        _title(_name(trial, said.chat), _BLOCKED.to(language()))
    shown.lost = len(home.lost)
    return found


def _name(trial: "Trial", chat: str) -> str:
    home = trial.line.home
    if chat in home.groups:
        return _GROUP.fill(name=home.groups[chat].name).to(language())
    return home.users[chat].name


def _title(name: str, how: str) -> None:
    from rich.text import Text

    line = Text("── ", style="dim")
    line.append(name, style="bold")
    line.append(f"  {how}", style="dim")
    terminal().print(line)


def _message(trial: "Trial", shown: Shown, said: "Said") -> None:
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.text import Text

    from tests.fakes.line.reading import buttons, rows

    _title(_name(trial, said.chat), _cost(trial, shown, said))
    body = Text("\n".join(map(trial.here, rows(said))))
    card = said.kind == "flex"
    terminal().print(Panel(body, expand=False) if card else Padding(body, (0, 2)))
    for button in buttons(said):
        number = str(len(shown.buttons) + 1)
        shown.buttons[number] = Pressable(button, said.chat)
        line = Text(f"  [{number}] ", style="bold cyan")
        line.append(button.label)
        if button.kind == "uri":
            line.append(f"  {trial.here(button.action['uri'])}", style="dim")
        elif button.where == "quick":
            line.append("  ⌄", style="dim")
        terminal().print(line, soft_wrap=True)


def _cost(trial: "Trial", shown: Shown, said: "Said") -> str:
    """What this message cost: a call costs a message for each person it reaches, however many
    messages are in it."""
    if said.how == "reply":
        return _REPLY.to(language())
    if said.call == shown.call:
        return _SAME_CALL.to(language())
    shown.call = said.call
    home = trial.line.home
    reached = len([user for user in home.people_in(said.chat) or () if user.reached])
    return _PUSH.fill(n=reached, used=home.used, quota=home.quota).to(language())
