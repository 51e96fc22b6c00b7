"""What whoever wrote is told by a mail of its own, where it is worth one.

What comes of a request is told by the notifier; these are the other answers. They are queued with
what became of the mail, in one transaction, and sent afterwards (bot/email/letters.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from bot.email import letters
from bot.email.boxes import Box
from bot.email.claims import Came
from bot.email.reading.mail import Mail
from core.house import House
from core.messages import Message
from core.people import Person
from core.reading.language import detect_language
from core.unit import Unit
from core.words import Language, Words

TOO_LARGE = Words(
    ja="メールが大きすぎるため受け取れませんでした（上限 {most} MB）。"
    "添付を減らすか分けて、送り直してください。",
    en="Your mail is too large and was not taken (limit {most} MB). Please send it again with fewer"
    " or smaller attachments.",
    zh="邮件过大，未能接收（上限 {most} MB）。请减少或拆分附件后重新发送。",
)
ENCRYPTED = Words(
    ja="暗号化されたメールは読めません。暗号化せずに送り直してください。",
    en="Your mail is encrypted and can't be read. Please send it again without encryption.",
    zh="无法读取加密邮件。请不加密后重新发送。",
)
EMPTY = Words(
    ja="本文も添付ファイルもないメールでした。依頼の内容を書いて、送り直してください。",
    en="Your mail had neither text nor attachments. Please write what you need and send it again.",
    zh="邮件既无正文也无附件。请写明申请内容后重新发送。",
)
NOT_BELIEVED = Words(
    ja="このメールが本当にあなたからのものか確認できなかったため、何も行いませんでした。"
    "ほかのアプリから操作するか、管理者に連絡してください。",
    en="It could not be verified that this mail is from you, so nothing was done. Please use"
    " another app, or ask your administrator.",
    zh="无法确认此邮件确由您本人发送，因此未执行任何操作。请使用其他应用操作，或联系管理员。",
)
UNKNOWN_SENDER = Words(
    ja="このアドレスは Miyabi に登録されていないため、依頼を受け取れませんでした。"
    "管理者に登録を依頼してください。",
    en="Your address is not known to Miyabi, so your request was not taken. Please ask your"
    " administrator to add it.",
    zh="您的地址未在 Miyabi 登记，申请未被接收。请联系管理员登记。",
)
DECIDE_THERE = Words(
    ja="メールでの承認・却下・差戻しは、承認依頼のメールへの返信か、"
    "そのメールのリンクで行ってください。ほかのメールでは何も決まりません。",
    en="To approve, reject or send back by mail, reply to the mail that asks you for it, or use its"
    " link. Nothing is decided by any other mail.",
    zh="通过邮件批准、驳回或退回时，请直接回复审批请求邮件，或使用其中的链接。其他邮件不会产生任何决定。",
)
NOT_UNDERSTOOD = Words(
    ja="{reference} への返信を受け取りましたが、何も変更していません。"
    "変更は「修正 新しい内容」、取り消しは「取消」と1行目に書いて返信してください。",
    en="Your reply about {reference} came, and nothing was changed. To change the request, reply"
    " with “revise” and what it shall be; to withdraw it, with “cancel”, on the first line.",
    zh="已收到关于 {reference} 的回复，但未作任何更改。如需更改，请在首行回复“修改 新内容”；"
    "如需撤回，请在首行回复“取消”。",
)
NOT_YOURS = Words(
    ja="ほかの人の依頼のメールへの返信だったため、何も行いませんでした。"
    "新しい依頼は、新しい件名のメールで送ってください。",
    en="Your mail was a reply about somebody else's request, so nothing was done. Please send a new"
    " request with a new subject.",
    zh="您回复的是他人申请的邮件，因此未执行任何操作。新的申请请使用新的主题发送。",
)
HOW_TO_ASK = Words(
    ja="「{title}」の依頼には、内容を書いてください。例: {example}",
    en="Please write what you need of a {title}. For example: {example}",
    zh="请写明“{title}”的申请内容。例如: {example}",
)
NEW_SUBJECT = Words(
    ja="件名が新しいため、新しい依頼 {reference} として受け付けました（もとの依頼: {origin}）。",
    en="As its subject is a new one, your mail was taken as a new request, {reference} (the earlier"
    " one: {origin}).",
    zh="由于主题不同，已作为新申请 {reference} 受理（原申请: {origin}）。",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What whoever wrote is told. `automatic`: nobody asked for it, so at most once a day."""

    message: Message
    automatic: bool = True


def say(words: Words, language: Language, *, automatic: bool = True) -> Said:
    """An answer of ours."""
    return Said(Message(words.to(language), language=language), automatic)


def language_of(person: Person | None, mail: Mail) -> Language:
    """The language to answer in: the person's, or a stranger's as it is written."""
    if person is not None:
        return person.language
    return detect_language(f"{mail.subject or ''}\n{mail.written.new[:1000]}")


@dataclass(frozen=True, slots=True)
class Answering:
    """The mail that is answered, who wrote it, and the task that it turned out to be about."""

    house: House
    box: Box
    came: Came
    mail: Mail
    person: Person | None
    task_id: UUID | None


async def queue(work: Unit, to: Answering, said: Said, enclosed: Mapping[str, bytes]) -> None:
    """Queue the answer with what became of the mail; nothing to whom nothing may be answered."""
    sender = to.mail.sender
    if sender is None or to.mail.never_reply:
        return
    await letters.queue(
        work,
        to.house,
        to.box,
        recipient=sender.address,
        message=said.message,
        subject=to.mail.subject,
        mail_id=to.came.id,
        in_reply_to=to.came.message_id or to.mail.message_id,
        references=to.mail.references,
        task_id=to.task_id,
        person_id=to.person.id if to.person is not None else None,
        automatic=said.automatic,
        files=enclosed,
    )
