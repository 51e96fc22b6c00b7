"""What each slot of a thread shows, made from the task as it stands at the moment of sending."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core import deliveries, effects, holding, phrases
from core.agent import Attached
from core.approvals.card import REQUESTED_BY, heading
from core.approvals.page_codes import CODE_IS
from core.approvals.view import ApprovalView, NoteView
from core.codec import load
from core.deliveries import Unsure
from core.errors import Question
from core.messages import Attachment, Button, Dates, Field, Message, Option, Select
from core.paper import first_page
from core.views import TaskView, effect_fields, left_open, next_try, progress, stays
from core.words import Language, Words, lines, same

REQUEST = Words(ja="依頼", en="Request", zh="请求")
FIRST_PAGE = Words(ja="1ページ目", en="First page", zh="第1页")
IS_IT_YOURS = Words(
    ja="{who} さんの名前で届いた依頼ですが、本人からと確認できないため保留しています。",
    en="This came in the name of {who}, and nothing proves that. It is held until it is released.",
    zh="此申请以 {who} 的名义送达，但无法确认为本人所发，已暂时保留。",
)
RELEASE = Words(ja="保留を解除", en="Release", zh="放行")
DROP = Words(ja="破棄", en="Drop", zh="丢弃")
RETRY = Words(ja="再実行", en="Retry", zh="重试")
CHOOSE_DAY = Words(ja="日付を選ぶ", en="Choose a day", zh="选择日期")
CHOOSE = Words(ja="選択してください", en="Choose", zh="请选择")
EDIT = Words(ja="フォームで修正", en="Edit in a form", zh="用表单修改")
ANSWER_IS = Words(ja="回答: {answer}", en="Answer: {answer}", zh="回答: {answer}")
ISSUED = Words(
    ja="{number} を発行しました。{total}",
    en="{number} is issued. {total}",
    zh="{number} 已开具。{total}",
)
FILE_REFUSED = Words(
    ja="ファイル「{name}」は受け取れません。{why}",
    en="The file “{name}” is not taken. {why}",
    zh="无法接受文件“{name}”。{why}",
)
REMINDED = Words(
    ja="{since} から承認待ちです。{at} にあらためてお知らせしました: {who}",
    en="Waiting for approval since {since}. Reminded at {at}: {who}",
    zh="自 {since} 起等待审批。已于 {at} 再次提醒: {who}",
)

QUESTION_IS = Words(
    ja="{what} について {who} さんから質問です: {text}\n返信は承認カードに届きます。",
    en="{who} asks about {what}: {text}\nReply in this thread; the answer comes to the card.",
    zh="{who} 就 {what} 提问: {text}\n在此会话中回复即可送达审批卡。",
)
COMMENT_IS = Words(
    ja="{what} について {who} さんのコメント: {text}",
    en="{who} on {what}: {text}",
    zh="{who} 对 {what} 留言: {text}",
)

UNKNOWN_MESSAGE = Words(
    ja=(
        "「{what}」がここに投稿されたかどうか分かりません（{reason}）。"
        "この会話を見て、投稿されていたか、もう一度送るかを選んでください。"
    ),
    en=(
        "Nobody knows whether “{what}” was posted here ({reason}). "
        "Please look, and say whether it was sent or is to be sent again."
    ),
    zh="无法确认“{what}”是否已发布到此处（{reason}）。请查看此会话，并选择已发送或再次发送。",
)
WAS_SENT = Words(ja="投稿されていた", en="It was sent", zh="已发送")
SEND_AGAIN = Words(ja="もう一度送る", en="Send again", zh="再次发送")
SETTLED = Words(
    ja="{who} さんの回答: {answer}", en="Answered by {who}: {answer}", zh="{who} 的回答: {answer}"
)

_MARKS = {"done": "●", "running": "◐", "waiting": "◐", "todo": "○", "failed": "✕", "stopped": "■"}
BUTTONS_AT_MOST = 5
"""From more choices than this a list is easier to use than buttons."""


def root(view: TaskView, language: Language) -> Message:
    """The request as understood: what opens the thread."""
    summary = view.summary(language)
    title = heading(view, language)
    fields = (Field(REQUESTED_BY.to(language), view.requester), *summary.fields)
    lines = "\n".join(f"・{line.name} {line.detail}" for line in summary.lines)
    body = view.text or lines
    return Message(
        text=f"{title}\n{body}",
        title=title,
        body=body,
        fields=fields,
        lines=tuple(replace(line, amount="") for line in summary.lines),
        note=summary.note,
    )


def flash(view: TaskView, language: Language, zone: str) -> Message:
    """How far the task is: one message, edited as it moves."""
    steps = progress(view, language, zone)
    state = phrases.state_words(view.state, view.waiting_for).to(language)
    title = f"{view.spoken} {state}"
    told = "  ".join(
        f"{_MARKS[step.state]} {step.label}" + (f" {step.at}" if step.at else "") for step in steps
    )
    waits = next_try(view, zone)
    notes = stays(view) if waits is None else (waits,)
    note = lines(notes).to(language)
    acts = effect_fields(view, language)
    if acts:
        told += "".join(f"\n{act.label}: {act.value}" for act in acts)
    return Message(
        text=f"{title}: {told}",
        title=title,
        progress=steps,
        fields=acts,
        note=note,
        buttons=_left_open(view, language),
    )


def _left_open(view: TaskView, language: Language) -> tuple[Button, ...]:
    """What a person can say of the acts that a cancelled task has left in the dark."""
    answers = zip(effects.STOPPED, (phrases.IT_WAS_SENT, phrases.IT_WAS_NOT_SENT), strict=True)
    said = [(action, words.to(language)) for action, words in answers]
    return tuple(
        Button(action, f"{act.to(language)}: {words}", effect.key)
        for effect, act in left_open(view)
        for action, words in said
    )


def question(view: TaskView, language: Language) -> Message | None:
    """What is asked, with its choices; None where it is no longer open."""
    if view.question is None:
        return None
    asked = load(Question, {k: v for k, v in view.question.items() if k != "id"})
    question_id = view.question["id"]
    prompt = asked.prompt.to(language)
    labels = [choice.label.to(language) for choice in asked.choices]
    day = Dates("answer", CHOOSE_DAY.to(language), question_id) if asked.kind == "date" else None
    message = Message(
        text="\n".join([prompt, *(f"{n}. {label}" for n, label in enumerate(labels, 1))]),
        body=prompt,
        dates=day,
    )
    if asked.key == "revise" and view.agent.form is not None:
        return replace(
            message, buttons=(Button("edit", EDIT.to(language), str(view.id), "primary"),)
        )
    if not labels:
        return message
    if len(labels) <= BUTTONS_AT_MOST:
        return replace(
            message,
            buttons=tuple(
                Button("answer", label, f"{question_id}.{n}") for n, label in enumerate(labels)
            ),
        )
    options = tuple(Option(f"{question_id}.{n}", label) for n, label in enumerate(labels))
    return replace(message, select=Select("answer", CHOOSE.to(language), question_id, options))


def note(view: TaskView, said: NoteView, language: Language) -> Message:
    """What somebody said about an approval, for whoever asked; a question wants an answer."""
    words = (QUESTION_IS if said.kind == "question" else COMMENT_IS).fill(
        who=said.by, what=view.spoken, text=said.text
    )
    return Message(text=words.to(language), body=words.to(language))


def word(facts: Mapping[str, Any], language: Language) -> Message:
    """Something that somebody has to know of an approval."""
    words = load(Words, facts["words"]).to(language)
    return Message(text=words, body=words)


def code(view: TaskView, typed: str, until: datetime, language: Language, zone: str) -> Message:
    """A code to be typed on a page."""
    words = CODE_IS.fill(reference=view.spoken, code=typed, at=_at(until, zone, "%H:%M"))
    return Message(text=words.to(language), body=words.to(language))


def reminded(
    approval: ApprovalView, facts: dict[str, Any], language: Language, zone: str
) -> Message:
    """For whoever asked: that it waits, since when, and who was reminded."""
    names = "、".join(person.name for person in approval.may_decide)
    words = REMINDED.fill(
        since=_at(approval.requested_at, zone, "%Y-%m-%d %H:%M"),
        at=_at(datetime.fromisoformat(facts["at"]), zone, "%m-%d %H:%M"),
        who=names or phrases.NOBODY.to(language),
    )
    return Message(text=words.to(language), body=words.to(language))


def failure(view: TaskView, facts: dict[str, Any], language: Language) -> Message:
    """Why the task stopped, with a button to go on once it is mended."""
    words = load(Words, facts["failure"]).to(language)
    title = f"{view.spoken} {phrases.STATES['failed'].to(language)}"
    return Message(
        text=f"{title}: {words}",
        title=title,
        body=words,
        buttons=(Button("retry", RETRY.to(language), str(view.id), "primary"),),
    )


def enclosed(view: TaskView, file: Attached) -> Message:
    """A file that was sent with a request, for whoever decides on it elsewhere."""
    text = f"{view.spoken} {file.name}"
    files = (Attachment(file.sha256, file.name, file.media_type),)
    return Message(text=text, body=text, files=files)


def refused_file(view: TaskView, facts: Mapping[str, Any], language: Language) -> Message:
    """Why a file that was sent is not taken."""
    words = FILE_REFUSED.fill(name=facts["name"], why=load(Words, facts["why"])).to(language)
    return Message(text=f"{view.spoken} {words}", body=words)


def held(view: TaskView, language: Language) -> Message:
    """A request of which nothing proves whose it is, with what may be done with it."""
    title = heading(view, language)
    why = IS_IT_YOURS.fill(who=view.requester).to(language)
    value = str(view.id)
    return Message(
        text=f"{title}: {why}\n{view.text}",
        title=title,
        body=view.text,
        note=why,
        buttons=(
            Button(holding.RELEASE, RELEASE.to(language), value, "primary"),
            Button(holding.DROP, DROP.to(language), value, "danger"),
        ),
    )


def result(view: TaskView, language: Language) -> Message:
    """The issued document, as a file with a line to say what it is, and its first page."""
    summary = view.summary(language)
    total = "  ".join(f"{field.label} {field.value}" for field in summary.totals[-1:])
    number = view.number or ""
    text = f"{view.spoken} {ISSUED.fill(number=number, total=total).to(language)}"
    issued = summary.document
    files = (
        (Attachment(issued.sha256, issued.name, issued.media_type),) if issued is not None else ()
    )
    picture = first_page(issued, FIRST_PAGE.to(language))
    return Message(text=text, body=text, files=files, picture=picture)


def unknown_message(
    view: TaskView, unsure: Unsure, facts: Mapping[str, Any], language: Language
) -> Message:
    """A message may or may not stand in the thread: whoever sees it has to say."""
    reason = load(Words, facts["why"]) if "why" in facts else same(unsure.why or "?")
    text = UNKNOWN_MESSAGE.fill(what=unsure.what, reason=reason).to(language)
    value = str(unsure.id)
    return Message(
        text=f"{view.spoken} {text}",
        body=text,
        buttons=(
            Button(deliveries.SENT, WAS_SENT.to(language), value),
            Button(deliveries.RESEND, SEND_AGAIN.to(language), value),
        ),
    )


def settled(facts: Mapping[str, Any], language: Language) -> str:
    """Who said what became of a message."""
    answer = WAS_SENT if facts["answer"] == deliveries.SENT else SEND_AGAIN
    return SETTLED.fill(who=facts["who"], answer=answer).to(language)


def retire(message: Message, note: str) -> Message:
    """A posted message that nothing can be pressed on any more."""
    return replace(message, buttons=(), select=None, dates=None, note=note)


def beside(message: Message, why: Words, language: Language) -> Message:
    """A message with the reason why it is shown here and not elsewhere."""
    words = why.to(language)
    note = "\n".join(each for each in (message.note, words) if each)
    return replace(message, text=f"{message.text}\n{words}", note=note)


def answered(message: Message, answer: str, language: Language) -> Message:
    """A question with the answer that was given in place of its choices."""
    return retire(message, ANSWER_IS.fill(answer=answer).to(language))


def _at(moment: datetime, zone: str, form: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime(form)
