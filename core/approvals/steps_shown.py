"""The steps of a route as people read them: who decided when and where, who is waited for."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from core import phrases
from core.approvals.view import ApprovalView, DecisionView, SeatView, StageView
from core.approvals.wording import ACTIONS, called
from core.words import Language, Words, listed, same

CHANNELS: dict[str, Words] = {
    "slack": same("Slack"),
    "discord": same("Discord"),
    "line": same("LINE"),
    "api": same("API"),
    "email": Words(ja="メール", en="mail", zh="邮件"),
    "page": Words(ja="ページ", en="page", zh="页面"),
    "console": Words(ja="端末", en="terminal", zh="终端"),
}
"""What the platforms are called that a decision can come from."""

_MARKS = {
    "passed": "✓", "open": "◐", "todo": "○", "skipped": "–", "returned": "↩", "closed": "■",
}  # fmt: skip
_DUE = Words(ja="期限 {at}", en="due {at}", zh="期限 {at}")
_QUORUM = Words(
    ja="{seats}人中{need}人", en="{need} of {seats}", zh="{seats}人中{need}人"
)  # fmt: skip
_SO_FAR = Words(ja="承認 {done}/{need}", en="{done}/{need} approved", zh="已批准 {done}/{need}")
_WAITS = Words(ja="{who} 待ち", en="waits for {who}", zh="等待 {who}")
_ROUND = Words(ja="{n}回目", en="time {n}", zh="第{n}次")
_ADDED = Words(ja="追加", en="added", zh="加签")
_WHY = Words(ja="理由: {reason}", en="reason: {reason}", zh="理由: {reason}")


def route_lines(approval: ApprovalView, language: Language, zone: str) -> tuple[str, ...]:
    """Each step of the route in a line, in order."""
    return tuple(_line(stage, language, zone) for stage in approval.stages)


def route_line(approval: ApprovalView, language: Language, zone: str) -> str:
    """Where it stands, in one line of steps."""
    return " → ".join(route_lines(approval, language, zone))


def is_plain(approval: ApprovalView) -> bool:
    """Whether the route is a single step that any one decides: then there are no steps to show."""
    [*stages] = approval.stages
    only = stages[0]
    return len(stages) == 1 and not (
        only.need > 1 or only.due_at or only.round > 1 or any(seat.added for seat in only.seats)
    )


def place_of(approval: ApprovalView) -> tuple[int, int]:
    """The how-manieth step is open, and of how many, those that are left out not counted."""
    stages = [stage for stage in approval.stages if stage.state != "skipped"]
    done = sum(stage.state == "passed" for stage in stages)
    return min(done + 1, len(stages)), len(stages)


def decided_at(decision: DecisionView, language: Language, zone: str) -> str:
    """Who decided what, when, where, and why where it was no approval."""
    who = called(decision.by, decision.on_behalf_of).to(language)
    said = f"{who} {short_moment(decision.at, zone)}"
    if decision.channel:
        said += f" ({channel_name(decision.channel).to(language)})"
    if decision.action != "approve":
        said = f"{ACTIONS[decision.action].to(language)} {said}"
    if decision.reason:
        said += f" {_WHY.fill(reason=_flat(decision.reason)).to(language)}"
    return said


def channel_name(channel: str) -> Words:
    """A platform as people call it."""
    return CHANNELS.get(channel, same(channel))


def short_moment(at: datetime, zone: str) -> str:
    """A moment within the year, as people in that zone read it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%m/%d %H:%M")


def holder_of(seat: SeatView, language: Language) -> str:
    """Who decides in a seat, and in whose place."""
    person = seat.person.name if seat.person.id != seat.holder.id else None
    return called(seat.holder.name, person).to(language)


def _line(stage: StageView, language: Language, zone: str) -> str:
    name = _flat(stage.name)
    if stage.round > 1:
        name += f" ({_ROUND.fill(n=stage.round).to(language)})"
    said = [*_people(stage, language, zone), *_notes(stage, language)]
    if stage.state == "open" and stage.due_at is not None:
        said.append(_DUE.fill(at=short_moment(stage.due_at, zone)).to(language))
    return f"{_mark(stage)} " + ": ".join(part for part in (name, " · ".join(said)) if part)


def _mark(stage: StageView) -> str:
    rejected = any(seat.state == "rejected" for seat in stage.seats)
    return "✕" if rejected else _MARKS[stage.state]


def _people(stage: StageView, language: Language, zone: str) -> Sequence[str]:
    """Those who decided; where it is not over, those who still may."""
    decided = [decided_at(s.decision, language, zone) for s in stage.seats if s.decision]
    waiting = [_waiting(seat, language) for seat in stage.seats if seat.state in {"open", "todo"}]
    shown = listed(waiting, language)
    if shown and stage.state == "open":
        shown = _WAITS.fill(who=shown).to(language)
    elif stage.state != "todo":
        shown = ""
    return [part for part in (listed(decided, language), shown) if part]


def _waiting(seat: SeatView, language: Language) -> str:
    who = holder_of(seat, language)
    return f"{who} [{_ADDED.to(language)}]" if seat.added else who


def _notes(stage: StageView, language: Language) -> Sequence[str]:
    """How many it takes, where it takes more than one of several; why a step is left out."""
    found = []
    if stage.state in {"open", "todo"} and stage.need > 1:
        named = sum(not seat.added for seat in stage.seats)
        done = sum(seat.state == "approved" and not seat.added for seat in stage.seats)
        words = _SO_FAR.fill(done=done, need=stage.need) if done else (
            _QUORUM.fill(seats=named, need=stage.need)
        )  # fmt: skip
        found.append(words.to(language))
    if stage.note is not None:
        found.append(f"[{stage.note.to(language)}]")
    return found


def _flat(words: str) -> str:
    return " ".join(words.split())


def waits_for(approval: ApprovalView, language: Language) -> str:
    """Those who may decide now, and in whose place."""
    stage = approval.open
    seats = [seat for seat in stage.seats if seat.state == "open"] if stage else []
    names = listed((holder_of(seat, language) for seat in seats), language)
    return names or phrases.NOBODY.to(language)
