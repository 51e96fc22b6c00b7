"""The card on which an approval is decided, the same on every platform."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from core.approvals import run
from core.approvals.steps_shown import (
    channel_name,
    is_plain,
    route_lines,
    short_moment,
    waits_for,
)
from core.approvals.view import ApprovalView, NoteView
from core.approvals.wording import ACTIONS, called, moment
from core.comparing import differences, shown
from core.messages import Button, Field, Message
from core.views import TaskView
from core.words import Language, Words, same

REQUESTED_BY = Words(ja="依頼者", en="Requested by", zh="申请人")
DRAFTED = Words(ja="下書きができました", en="Draft ready", zh="草稿已完成")
WAITS_FOR = Words(
    ja="{who} さんの承認を待っています。",
    en="It waits for the approval of {who}.",
    zh="正在等待 {who} 审批。",
)
REVISION = Words(ja="（第{n}版）", en=" (revision {n})", zh="（第{n}版）")
WANTED = Words(ja="承認のお願い", en="Approval wanted", zh="请审批")
WHO_MAY = Words(ja="承認できる人", en="Who may approve", zh="可审批的人")
HASH = Words(ja="書類のハッシュ", en="Document hash", zh="文件哈希")
DUE = Words(ja="期限", en="Due", zh="期限")
ROUTE = Words(ja="承認の流れ", en="Steps of approval", zh="审批流程")
CHANGES = Words(ja="第{n}版からの変更", en="Changed since revision {n}", zh="自第{n}版以来的变更")
SAID = Words(ja="コメントと質問", en="Comments and questions", zh="留言与提问")
ROUND = Words(ja="回覧", en="For information", zh="传阅")
NO_CHANGE = Words(ja="金額と内容に変更なし", en="nothing shown here", zh="显示内容无变更")
REASON = Words(ja="理由", en="Reason", zh="理由")
NOBODY_LEFT = Words(
    ja="決定できる人がいなくなったため差し戻し",
    en="sent back: nobody is left who could decide it",
    zh="已无人可审批，已退回",
)
BY_AT = Words(
    ja="{action}: {who}（{at}）", en="{action} by {who} at {at}", zh="{action}: {who}（{at}）"
)
AT_FROM = Words(ja="{at}、{channel}", en="{at} ({channel})", zh="{at}，{channel}")
OVER = Words(ja="対応済み", en="No longer open", zh="已处理")
SUPERSEDED = Words(
    ja="内容が変更されたため無効", en="void: the content has changed", zh="内容已变更，失效"
)
WITHDRAWN = Words(ja="取り消し", en="withdrawn", zh="已撤回")
EXPIRED = Words(ja="期限切れ", en="expired", zh="已过期")
SEEN_AT = Words(ja="{at} に確認済み", en="seen at {at}", zh="已于 {at} 阅")
TO_CONFIRM = Words(ja="確認待ち", en="not yet confirmed", zh="待确认")
TOLD = Words(ja="お知らせ済み", en="told", zh="已通知")
ASKS = Words(ja="質問", en="asks", zh="提问")
ANSWERS = Words(ja="回答: {answer}", en="answer: {answer}", zh="回答: {answer}")
NO_ANSWER = Words(ja="回答待ち", en="no answer yet", zh="待回答")

LABELS: dict[str, Words] = {
    "approve": Words(ja="承認", en="Approve", zh="批准"),
    "reject": Words(ja="却下", en="Reject", zh="驳回"),
    "return": Words(ja="差し戻し", en="Send back", zh="退回"),
    "undo": Words(ja="承認を取り消す", en="Take my approval back", zh="撤销我的批准"),
    "comment": Words(ja="コメント", en="Comment", zh="留言"),
    "question": Words(ja="依頼者に質問", en="Ask who requested it", zh="向申请人提问"),
    "add": Words(ja="承認者を追加", en="Add an approver", zh="添加审批人"),
    "forward": Words(ja="ほかの人に回す", en="Pass on", zh="转交他人"),
    "seen": Words(ja="確認しました", en="I have seen it", zh="已阅"),
}
"""What the buttons of a card are called, by the action they stand for."""

NOTES_SHOWN = 6
"""So many of what was said stand on the card, the last ones; the rest is in the thread."""


def heading(view: TaskView, language: Language) -> str:
    """`#1042 見積`, with the revision from the second on."""
    title = f"{view.spoken} {view.agent.title.to(language)}"
    if view.revision > 1:
        title += REVISION.fill(n=view.revision).to(language)
    return title


def card(
    view: TaskView, approval: ApprovalView, language: Language, zone: str, reader: UUID | None
) -> Message:
    """What is to be approved; once decided, who did, when, where and why, without buttons.

    `reader` is whose direct conversation it stands in: they have buttons only while they decide,
    and one to take their approval back while they may.
    """
    shown = _content(view, approval, language, zone)
    if approval.state != "pending" or approval.open is None:
        verdict = closed(approval, language, zone)
        return replace(shown, text=f"{verdict}\n{shown.text}", note=verdict)
    if reader is not None and not approval.waits_for(reader):
        note = passed(approval, language, zone) or shown.note
        return replace(shown, note=note, buttons=_back(approval, reader, language))
    return replace(shown, buttons=_buttons(approval, language))


def drafted(
    view: TaskView, approval: ApprovalView, language: Language, zone: str, reader: UUID
) -> Message:
    """The same for whoever asked for it, in their own conversation: what waits, and for whom.

    They have no buttons, unless they may decide it.
    """
    shown = card(view, approval, language, zone, reader)
    if approval.state != "pending" or approval.open is None or approval.waits_for(reader):
        return shown
    title = f"{DRAFTED.to(language)}: {heading(view, language)}"
    waits = WAITS_FOR.fill(who=waits_for(approval, language)).to(language)
    totals = "  ".join(f"{total.label} {total.value}" for total in shown.totals)
    said = [line for line in (title, totals, waits) if line]
    return replace(shown, text="\n".join(said), title=title, note=waits, buttons=())


def _content(view: TaskView, approval: ApprovalView, language: Language, zone: str) -> Message:
    summary = view.summary(language)
    title = f"{WANTED.to(language)}: {heading(view, language)}"
    fields = [
        Field(REQUESTED_BY.to(language), view.requester),
        *summary.fields,
        *_whom(approval, language, zone),
        Field(HASH.to(language), approval.shown_sha256[:12]),
    ]
    totals = "  ".join(f"{total.label} {total.value}" for total in summary.totals)
    return Message(
        text=f"{title}\n{totals}",
        title=title,
        fields=tuple(fields),
        lines=summary.lines,
        totals=summary.totals,
        sections=_sections(view, approval, language, zone),
        picture=summary.picture,
        note=summary.note,
        language=language,
    )


def _whom(approval: ApprovalView, language: Language, zone: str) -> list[Field]:
    """Whom it waits for, and until when."""
    stage = approval.open
    if stage is None:
        return []
    found = [Field(WHO_MAY.to(language), waits_for(approval, language))]
    if stage.due_at is not None:
        found.append(Field(DUE.to(language), moment(stage.due_at, ZoneInfo(zone))))
    return found


def _buttons(approval: ApprovalView, language: Language) -> tuple[Button, ...]:
    stage = approval.open
    assert stage is not None  # noqa: S101  # it is pending
    value = str(stage.id)
    quiet = ["comment", "question", "add", *(["forward"] if stage.delegable else [])]
    return (
        Button("approve", LABELS["approve"].to(language), value, "primary"),
        Button("reject", LABELS["reject"].to(language), value, "danger"),
        Button("return", LABELS["return"].to(language), value),
        *(Button(action, LABELS[action].to(language), value, "quiet") for action in quiet),
    )


def _back(approval: ApprovalView, reader: UUID, language: Language) -> tuple[Button, ...]:
    """Whoever approved last may take it back for a while. Past it, the press tells them so."""
    if run.may_undo(approval.run, reader, datetime.now(UTC)) is None:
        return ()
    return (Button("undo", LABELS["undo"].to(language), str(approval.id)),)


# Paragraphs


def _sections(
    view: TaskView, approval: ApprovalView, language: Language, zone: str
) -> tuple[Field, ...]:
    found: list[tuple[Words, list[str]]] = []
    if view.before is not None and approval.revision == view.revision:
        label = CHANGES.fill(n=view.before.revision)
        found.append((label, _changes(view, language)))
    if not is_plain(approval):
        found.append((ROUTE, [*route_lines(approval, language, zone)]))
    notes = [_note(note, language, zone) for note in approval.notes[-NOTES_SHOWN:]]
    found.append((SAID, notes))
    found.append((ROUND, _round(approval, language, zone)))
    return tuple(Field(label.to(language), "\n".join(lines)) for label, lines in found if lines)


def _changes(view: TaskView, language: Language) -> list[str]:
    assert view.before is not None  # noqa: S101  # asked before
    before = view.agent.summarise(view.before.results, language)
    found = shown(differences(before, view.summary(language), language), language)
    return [f"• {each}" for each in found] or [NO_CHANGE.to(language)]


def _note(note: NoteView, language: Language, zone: str) -> str:
    """What somebody said, on one line; a question with what was answered."""
    said = f"{note.by} {short_moment(note.at, zone)}"
    if note.kind == "question":
        said += f" {ASKS.to(language)}"
    said += f": {_flat(note.text)}"
    if note.kind != "question":
        return said
    answer = ANSWERS.fill(answer=_flat(note.answer)) if note.answer is not None else NO_ANSWER
    return f"{said}\n　↳ {answer.to(language)}"


def _round(approval: ApprovalView, language: Language, zone: str) -> list[str]:
    found = []
    for each in approval.circulated:
        state = TO_CONFIRM if each.confirm else TOLD
        if each.seen_at is not None:
            state = SEEN_AT.fill(at=short_moment(each.seen_at, zone))
        mark = "○" if each.confirm and each.seen_at is None else "✓"
        found.append(f"{mark} {each.person.name}  {state.to(language)}")
    return found


def _flat(words: str) -> str:
    return " ".join(words.split())


# Ends


def passed(approval: ApprovalView, language: Language, zone: str) -> str:
    """Who decided last: when, from where, in whose place."""
    if not (approval.action and approval.decided_by and approval.decided_at):
        return ""
    at = same(moment(approval.decided_at, ZoneInfo(zone)))
    if approval.channel:
        at = AT_FROM.fill(at=at, channel=channel_name(approval.channel))
    words = BY_AT.fill(
        action=ACTIONS[approval.action],
        who=called(approval.decided_by, approval.on_behalf_of),
        at=at,
    )
    return words.to(language)


def closed(approval: ApprovalView, language: Language, zone: str) -> str:
    """How an approval ended, in a line."""
    if approval.state == "returned" and approval.action != "return":
        return NOBODY_LEFT.to(language)
    if approval.state not in _ENDS and approval.action:
        verdict = passed(approval, language, zone)
        if approval.reason:
            verdict += f" {REASON.to(language)}: {approval.reason}"
        return verdict
    return _ENDS.get(approval.state, OVER).to(language)


_ENDS = {"superseded": SUPERSEDED, "withdrawn": WITHDRAWN, "expired": EXPIRED}


def circulated(
    view: TaskView, approval: ApprovalView, language: Language, zone: str, reader: UUID | None
) -> Message:
    """What was approved, for somebody who is to know of it, with a button where they have to say
    that they do."""
    message = card(view, approval, language, zone, reader)
    title = f"{ROUND.to(language)}: {heading(view, language)}"
    told = replace(message, title=title, text=f"{title}\n{message.text}", buttons=())
    mine = [each for each in approval.circulated if each.person.id == reader]
    if not mine or not mine[0].confirm:
        return told
    seen_at = mine[0].seen_at
    if seen_at is not None:
        at = moment(seen_at, ZoneInfo(zone))
        return replace(told, note=f"{message.note}\n{SEEN_AT.fill(at=at).to(language)}".strip())
    seen = Button("seen", LABELS["seen"].to(language), str(approval.id), "primary")
    return replace(told, buttons=(seen,))
