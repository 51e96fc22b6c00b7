"""Approvals that are decided by answering a letter: 承認, OK, 却下 理由, 差戻し 理由.

Only the first line that somebody wrote themselves decides, and only as a whole: with anything else
in it, it is talk. What is decided is what the letter showed that is answered, never what has come
in its place meanwhile. Whether the sender is believed, and holds the token of this task, is found
out before (bot/email/dealing.py).
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import people
from core.approvals.page_codes import amount_of
from core.approvals.run import Action
from core.approvals.view import latest_approval
from core.db import fetch_all, fetch_one
from core.house import House
from core.inbound import Answer, Click, Inbound, Sender, Spot
from core.intake import accept
from core.messages import Message
from core.people import Person
from core.settings import EmailSettings
from core.views import task_view
from core.words import Words

FROM_YEN: int = EmailSettings.model_fields["code_from_yen"].default

ANSWER_THE_LATEST = Words(
    ja="この返信がどの内容への決定か分からないため、何も決定していません。"
    "{reference} の最新の承認依頼メールに返信してください。",
    en="It can't be told which content this decides on, so nothing was decided. Please answer the "
    "latest letter that asks for your approval of {reference}.",
    zh="无法确定此回复针对哪一版内容，因此未作任何审批。请回复 {reference} 最新的审批邮件。",
)
TOO_LARGE = Words(
    ja="{reference} は {yen} 円以上のため、返信では決定できません。メールのリンクのページか、"
    "アプリから決定してください。何も決定していません。",
    en="{reference} is of {yen} yen or more, which can't be decided by a reply. Please use the "
    "page that the letter links to, or the app. Nothing was decided.",
    zh="{reference} 的金额达到 {yen} 日元以上，不能通过回复审批。请使用邮件中的页面链接或应用。"
    "未作任何审批。",
)

_END = r"[\s。．.!！、,]*"
_APPROVE = re.compile(
    r"(?:上記|本件|こちら)?(?:の件)?(?:を|に|は|、|,)?\s*(?:"
    r"(?:承認|同意|決裁|了承)(?:します|いたします|致します|しました|いたしました|致しました|です|する)?"
    r"|ok(?:です|でございます)?|オーケー(?:です)?|オッケー(?:です)?"
    r"|(?:i\s+)?approve(?:d)?|(?:i\s+)?agree(?:d)?|(?:我)?(?:批准|同意)(?:了)?"
    r")" + _END,
    re.IGNORECASE,
)
_DONE = r"(?:します|いたします|致します|しました|いたしました|致しました|です|する|とします)?"
_AFTER = r"(?:$|[\s:：、,。．.(（]+(.*))"
# Letters tell people to write `reject reason`; other forms of the word begin other sentences as
# well ("returned goods ..."): a sign has to follow those.
_AFTER_SIGN = r"(?:$|(?:\s*[:,.(-]|\s+because|\s+as)\s*(.*))"
_AGAINST: tuple[tuple[Action, str], ...] = (
    ("reject", rf"(?:却下|否認){_DONE}{_AFTER}"),
    ("reject", rf"驳回{_AFTER}"),
    ("reject", rf"reject{_AFTER}"),
    ("reject", rf"rejected{_AFTER_SIGN}"),
    ("return", rf"差し?戻し?{_DONE}{_AFTER}"),
    ("return", rf"退回{_AFTER}"),
    ("return", rf"return{_AFTER}"),
    ("return", rf"(?:returned|sen[dt]\s+back){_AFTER_SIGN}"),
)
_BUT = re.compile(
    r"(?:ただし|但し|但書|条件|しかし|けど|けれど|できません|出来ません|できない|ません|保留|待って"
    r"|\bbut\b|\bhowever\b|\bunless\b|\bexcept\b|\bprovided\b|\bnot\b|n't\b|\bonly if\b|\bwait\b"
    r"|但是|不过|不能|不同意|除非|条件)",
    re.IGNORECASE,
)
"""Words that take back, or bind to something, what the first line says."""
_NOT = re.compile(
    r"[\W_]*(?:(?:し|では|じゃ|でも)?(?:ない|ません)|しないで|不要|待って|保留|取り?消|撤回|やめ"
    r"|(?:please\s+)?(?:do\s+not|don't|not|never|no|wait|hold|cancel)\b|不要|不是|别|请勿|勿)",
    re.IGNORECASE,
)
"""A reason that begins so may be a refusal to refuse: then nothing is decided."""
_LONGEST = 2000  # characters of a reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reply decides. `reason`: also what else was said with an approval."""

    action: Action
    reason: str = ""


def read_decision(first_line: str) -> Decision | None:
    """The decision that a line is; None for whatever is anything else, or more."""
    said = unicodedata.normalize("NFKC", first_line[:_LONGEST]).strip()
    if _APPROVE.fullmatch(said):
        return Decision("approve")
    for action, pattern in _AGAINST:
        match = re.fullmatch(pattern, said, re.IGNORECASE | re.DOTALL)
        if match is not None:
            reason = (match[1] or "").strip(" \t。.()（）")[:_LONGEST]
            return None if _NOT.match(reason) else Decision(action, reason)
    return None


def read_reply(text: str) -> Decision | None:
    """The decision that somebody's own words begin with; what follows is its reason.

    None also where what follows an approval may bind it to something: no condition is left out.
    """
    first, _, rest = text.strip().partition("\n")
    decision = read_decision(first)
    if decision is None:
        return None
    more = unicodedata.normalize("NFKC", rest).strip()
    if _BUT.search(more) if decision.action == "approve" else _NOT.match(more):
        return None
    reason = "\n".join(each for each in (decision.reason, rest.strip()) if each)
    return replace(decision, reason=reason[:_LONGEST])


async def by_reply(
    house: House,
    decision: Decision,
    sender: Sender,
    spot: Spot,
    key: str,
    task_id: UUID,
    person_id: UUID,
    letter_id: UUID | None,
    *,
    code_from_yen: int = FROM_YEN,
) -> Answer | None:
    """Decide what the letter showed that was answered, and say so. None where it is about something
    else: it showed nothing to decide, and then `OK` may answer a question.

    `letter_id`: the letter of ours that the reply names; None where only its token told the task.
    From `code_from_yen` on nothing is decided by a reply, as nobody knows who holds a mailbox.
    """
    async with house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            # across organisations: an account belongs to exactly one, and the task must be of it
            "select p.organisation_id, t.reference from people p join tasks t"
            " on t.organisation_id = p.organisation_id and t.id = :task_id"
            " where p.id = :person_id and p.active",
            {"task_id": task_id, "person_id": person_id},
        )
        person = row and await people.by_id(connection, row.organisation_id, person_id)
        if row is None or person is None:
            raise LookupError(f"no person {person_id} of that task")
        spoken = f"#{row.reference}"
        stage = await stage_meant(connection, person, task_id, letter_id)
        if stage is None:
            if letter_id is not None or not await _waits(connection, person, task_id):
                return None
            return _refused(person, ANSWER_THE_LATEST.fill(reference=spoken))
        view = await task_view(connection, house, person.organisation_id, task_id)
    amount = amount_of(view)
    if amount is not None and amount >= code_from_yen:
        return _refused(person, TOO_LARGE.fill(reference=spoken, yen=f"{code_from_yen:,}"))
    click = Click(decision.action, str(stage), decision.reason)
    return await accept(house, Inbound(sender, spot, key, click=click), click_patience=_PATIENCE)


_PATIENCE = 8.0
"""Seconds: nobody looks at a screen meanwhile."""


async def stage_meant(
    connection: AsyncConnection, person: Person, task_id: UUID, letter_id: UUID | None
) -> UUID | None:
    """The step that was shown to somebody in a letter of ours.

    Without a letter, that of all cards that were ever mailed to them about the task, if it is one
    and the same: an answer to an older one would decide on something else.
    """
    rows = await fetch_all(
        connection,
        "select distinct split_part(d.slot, ':', 3) as stage from deliveries d"
        " join letters l on l.organisation_id = :organisation_id and l.id = d.call"
        " where d.organisation_id = :organisation_id and d.task_id = :task_id"
        " and starts_with(d.slot, 'card:') and l.person_id = :person_id"
        " and (l.id = :letter_id or cast(:letter_id as uuid) is null)",
        {
            "organisation_id": person.organisation_id,
            "task_id": task_id,
            "person_id": person.id,
            "letter_id": letter_id,
        },
    )
    # A card without a step stands where it was asked for: nobody is asked to decide by it.
    stages = {row.stage for row in rows if row.stage}
    return UUID(stages.pop()) if len(stages) == 1 else None


async def _waits(connection: AsyncConnection, person: Person, task_id: UUID) -> bool:
    approval = await latest_approval(connection, person.organisation_id, task_id)
    return approval is not None and approval.waits_for(person.id)


def _refused(person: Person, words: Words) -> Answer:
    said = Message(words.to(person.language), language=person.language)
    return Answer("refused", said, refusal="wrong")
