"""The tags of all events, `source:subject:action`, and what each has to say.

`docs/audit-events.md` is made of this (core/audit_docs.py). Neither secrets nor what people wrote
go into an event; of a document its hash does.
"""

from collections.abc import Mapping

from audit.registry import (
    FLAG,
    ID,
    SHA256,
    TEXT,
    WHOLE,
    Declaration,
    Declared,
    Kind,
    list_of,
    one_of,
    or_none,
    personal,
    some_of,
)

Entry = tuple[str, Declaration]


def _task(tag: str, means: str, *, step: bool = False, **must: Kind) -> Entry:
    """Of a task, at its present revision."""
    fields = {"reference": WHOLE, **must}
    return tag, Declaration(means, "task", fields, revision=True, step=step)


def _effect(tag: str, means: str, **must: Kind) -> Entry:
    """Of a task's act on the outside; `effect` is the key that travelled to the provider."""
    fields = {"effect": ID, "kind": TEXT, "target": TEXT, "attempt": WHOLE}
    return _task(tag, means, step=True, **fields, **must)


def _message(tag: str, means: str, may: Mapping[str, Kind] | None = None, **must: Kind) -> Entry:
    """Of a message in a task's thread: its slot, and its platform and thread as `place`. A channel
    may be somebody's: a direct conversation is called by their account."""
    fields = {"reference": WHOLE, "slot": TEXT, "place": TEXT}
    return tag, Declaration(means, "task", {**fields, **must}, may or {})


def _of(subject: str, tag: str, means: str, **must: Kind) -> Entry:
    return tag, Declaration(means, subject, must)


def _dispatch(action: str, means: str, **must: Kind) -> Entry:
    """Of one telling of a notice; the stream is the notice."""
    fields = {"dispatch": ID, "channel": TEXT, **must}
    return f"notifier:dispatch:{action}", Declaration(means, "notice", fields)


_IMPORTANCE = one_of("low", "normal", "high", "critical")
_HOW = one_of("answered", "found", "refused", "not found", "no answer", "no outcome", "stopped")
_STANDS = {"external_id": TEXT, "delivery": ID, "how": one_of("answered", "found")}
_CALL = {"call": ID}
_THEIRS = personal(TEXT, "stream")
_PERSON = {
    "handle": _THEIRS,
    "roles": list_of(one_of("requester", "approver", "accountant", "auditor", "admin")),
}
_CHAT = {"platform": TEXT, "workspace": TEXT, "chat_sha256": SHA256}
_MAILBOX = {
    "purpose": one_of("general", "quote", "expense", "support"),
    "authserv_ids": list_of(TEXT),
    "topmost": FLAG,
    "domains": list_of(TEXT),
    "dkim": FLAG,
}
_TOKEN = {"token": TEXT, "label": _THEIRS, "handle": _THEIRS}
_DELEGATION = {
    "delegation": ID,
    "delegate": ID,
    "since": TEXT,
    "until": TEXT,
    "forms": list_of(TEXT),
}
_PARTICULARS = {
    "changed": list_of(TEXT),
    "name": TEXT,
    "registration_number": or_none(TEXT),
    "seal_sha256": or_none(SHA256),
    "template_sha256": or_none(SHA256),
    "expense_policy_sha256": or_none(SHA256),
    "rounding": one_of("down", "half_up", "up"),
    "prices_include_tax": FLAG,
    "valid_days": WHOLE,
    "language": one_of("ja", "en", "zh"),
    "time_zone": TEXT,
    "price_list": or_none(TEXT),
    "ledger": or_none(TEXT),
}
_LOOKED = {
    "what": one_of("documents", "events"),
    "by": some_of(
        since=TEXT,
        until=TEXT,
        least=WHOLE,
        most=WHOLE,
        person=ID,
        stream=ID,
        number=TEXT,
        kind=TEXT,
        tags=list_of(TEXT),
        counterparty=FLAG,
        text=FLAG,
    ),
}
_FORM = one_of("csv", "jsonl", "zip")
FACTS = (
    "number", "task", "state", "revision", "step", "approval", "closing", "decision", "undone",
    "added", "note", "seen", "document", "entry", "file", "void", "sent", "kept", "refused",
    "intent", "effect", "message", "unknown", "settled", "given up", "claim", "owed",
    "link", "revoked", "page", "page used",
    "notice", "dispatch", "told", "not told", "acknowledged",
)  # fmt: skip
"""What rows and events both say (core/agreement.py). `number` is an event's number in its stream,
of which none may be left out; `closing` what became of an approval, `entry` a document's line in
the index, `sent` a file of a person's and `kept` or `refused` what became of it, `intent` one
attempt at an act on the outside, `effect` what became of it; the four from `message` on are of
messages; `claim` is an approved expense claim with its amount, `owed` what is to be paid of a
task, `link` one that a file of it is opened by and `revoked` one that was taken back; `page` is one
on which a person decides a step, and `page used` that they did; of a `notice` each `dispatch`, and
whether it was `told` or `not told` in the end, and that it was `acknowledged`."""
_TRIES = {"try": WHOLE, "of": WHOLE, "wait": WHOLE}


class Tag(Declared):
    """What can happen. `intake` is a person's message, `approval` a decision, `worker` our work,
    `reader` who looked into the log, `house` what it looks after by itself."""

    TASK_RECEIVED = _task(
        "intake:task:received",
        "A person's request became a task, by the delivery of that key.",
        agent=TEXT,
        version=WHOLE,
        delivery=personal(TEXT, "actor"),
        revises=or_none(ID),
    )
    TASK_HELD = _of(
        "task",
        "intake:task:held",
        "Nothing proves that the request is by the person whose it says it is: the task waits "
        "until they or an admin release it.",
    )
    TASK_RELEASED = _task(
        "intake:task:released", "A person released a task that was held; it is worked on from now."
    )
    TASK_REVISED = _task(
        "intake:task:revised",
        "A person changed what is asked; the task is at revision `to` now.",
        to=WHOLE,
    )
    TASK_CANCELLED = _task(
        "intake:task:cancelled",
        "A person cancelled a task: it is over, or a worker is about to stop it.",
        state=one_of("cancelling", "cancelled"),
    )
    TASK_DROPPED = _task(
        "house:task:dropped", "Nobody released a task that was held in time; it is over."
    )
    TASK_RETRIED = _task("intake:task:retried", "A person set a task going again.")
    QUESTION_ANSWERED = _task(
        "intake:question:answered", "A person answered a task's question.", about=TEXT
    )
    FILE_RECEIVED = _of(
        "task",
        "intake:file:received",
        "A person sent a file for a task; a worker has yet to fetch it. `again`: the task, which "
        "waited or had stopped, goes on with it.",
        attachment=ID,
        again=FLAG,
    )
    FILE_KEPT = _task(
        "worker:file:kept",
        "A file that was sent is kept by its hash and is part of what is asked.",
        attachment=ID,
        sha256=SHA256,
    )
    FILE_REFUSED = _task(
        "worker:file:refused",
        "A file that was sent is not taken: it is of no kind that is, or too large, or gone, or "
        "this work takes none.",
        attachment=ID,
        why=one_of("kind", "size", "gone", "none"),
    )
    DOCUMENT_VOIDED = _task(
        "intake:document:voided",
        "A person declared an issued document void; its number stays taken.",
        number=TEXT,
    )
    TASK_STARTED = _of(
        "task",
        "worker:task:started",
        "A worker (its host and process) took a task in hand.",
        worker=TEXT,
    )
    TASK_RETRYING = _task(
        "worker:task:retrying",
        "A step failed at try `try` of `of`, and is done again after `wait` seconds.",
        step=True,
        **_TRIES,
    )
    TASK_FAILED = _task(
        "worker:task:failed",
        "A task stopped at a step; the operator's log tells of a fault nobody foresaw by its id.",
        step=True,
        error_id=or_none(TEXT),
    )
    TASK_STOPPED = _task(
        "worker:task:stopped",
        "A worker stopped a task that a person had cancelled.",
        state=one_of("cancelled"),
    )
    TASK_DONE = _task("worker:task:done", "A task has done all of its steps.")
    STEP_FINISHED = _task(
        "worker:step:finished",
        "A step's result was stored; `kept` where it is an earlier revision's.",
        step=True,
        result_sha256=SHA256,
        kept=FLAG,
    )
    QUESTION_ASKED = _task(
        "worker:question:asked", "A step asked a person something.", step=True, about=TEXT
    )
    PAYABLE_OWED = _task(
        "worker:payable:owed",
        "Of an approved task so many yen are to be paid.",
        payable=ID,
        amount=WHOLE,
    )
    PAYABLES_GATHERED = _task(
        "worker:payables:gathered",
        "A payment run took so many approved claims, of so many yen, to be paid on that day. The "
        "hash is that of their ids; nobody else can take them until the run is over.",
        claims=WHOLE,
        amount=WHOLE,
        pay_on=TEXT,
        claims_sha256=SHA256,
    )
    APPROVAL_REQUESTED = _task(
        "worker:approval:requested",
        "A decision was asked for on exactly the document of that hash, by that version of a route "
        "(0: one that came with Miyabi). Each seat says the step, how many of it have to approve, "
        "whose it is and who decides in it.",
        approval=ID,
        route=TEXT,
        version=WHOLE,
        seats=list_of(TEXT),
        shown_sha256=SHA256,
    )
    EFFECT_INTENDED = _effect(
        "worker:effect:intended", "An act on the outside is about to be done, for that time."
    )
    EFFECT_DONE = _effect("worker:effect:done", "An act was done; `how` that is known.", how=_HOW)
    EFFECT_FAILED = _effect(
        "worker:effect:failed", "An act surely was not done; `how` that is known.", how=_HOW
    )
    EFFECT_UNKNOWN = _effect(
        "worker:effect:unknown",
        "Nobody knows whether an act was done; `how` its outcome was lost.",
        how=_HOW,
    )
    EFFECT_SETTLED = _effect(
        "intake:effect:settled",
        "A person said what became of an act of unknown outcome.",
        answer=one_of("sent", "again", "not_sent"),
    )
    DOCUMENT_NUMBERED = _task(
        "worker:document:numbered",
        "A document's number was taken; no other will ever have it. The hash is that of what it is "
        "searched by: date, amount, counterparty.",
        number=TEXT,
        index_sha256=SHA256,
    )
    DOCUMENT_ISSUED = _task(
        "worker:document:issued",
        "The file of a numbered document was stored by its hash. Its name is in the index only: it "
        "may be a customer's.",
        sha256=SHA256,
    )
    CLAIM_APPROVED = _task(
        "worker:claim:approved",
        "An approved expense claim was entered, with the yen that were approved of it and the hash "
        "of its lines: from now on it may be paid.",
        claim=ID,
        approved=WHOLE,
        lines_sha256=SHA256,
    )
    APPROVAL_DECIDED = _task(
        "approval:approval:decided",
        "A person decided on exactly the document of that hash, in a seat of a step of the route, "
        "in their own right or on behalf of somebody; the approval's state since then.",
        approval=ID,
        action=one_of("approve", "reject", "return"),
        place=WHOLE,
        round=WHOLE,
        seat=ID,
        on_behalf_of=or_none(ID),
        state=one_of("pending", "approved", "rejected", "returned"),
        shown_sha256=SHA256,
        has_reason=FLAG,
    )
    APPROVAL_UNDONE = _task(
        "approval:approval:undone", "A person took their approval back.", approval=ID, seat=ID
    )
    SEAT_ADDED = _task(
        "approval:seat:added", "One more person has to approve a step.", approval=ID, seat=ID,
        person=ID,
    )  # fmt: skip
    SEAT_MOVED = _task(
        "approval:seat:moved",
        "Somebody else decides in a seat from now on: a delegate or whose seat it is again, a "
        "superior or whoever the route's ladder names, whoever it was passed on to, who took the "
        "place of somebody who left.",
        approval=ID,
        seat=ID,
        was=ID,
        to=ID,
        why=one_of("delegation", "return", "escalation", "ladder", "forward", "left"),
    )
    SEAT_LEFT = _task(
        "approval:seat:left",
        "Somebody who held a seat is not there any more: those who are left are enough, or by the "
        "rule of the step they are from now on or it is left out, a superior takes the place, or "
        "it goes back to who asked; the approval's state since then.",
        approval=ID,
        seat=ID,
        person=ID,
        rule=one_of("enough", "next", "superior", "refuse"),
        to=or_none(ID),
        state=one_of("pending", "approved", "returned"),
    )
    APPROVAL_NOTED = _task(
        "approval:approval:noted",
        "Something was said about an approval; the words are not in the log.",
        approval=ID,
        kind=one_of("comment", "question", "answer"),
    )
    APPROVAL_CIRCULATED = _task(
        "approval:approval:circulated",
        "Some people are told of what was approved.",
        approval=ID,
        people=list_of(ID),
    )
    APPROVAL_SEEN = _task(
        "approval:approval:seen", "Somebody has seen what was circulated to them.", approval=ID
    )
    APPROVAL_REMINDED = _task(
        "approval:approval:reminded",
        "Somebody who may decide was reminded of it, with all else that waits for them.",
        approval=ID,
        person=ID,
    )
    APPROVAL_EXPIRED = _task("approval:approval:expired", "Nobody decided in time.", approval=ID)
    APPROVAL_SUPERSEDED = _task(
        "approval:approval:superseded",
        "An approval no longer counts: the content changed, or the task was withdrawn.",
        approval=ID,
        state=one_of("superseded", "withdrawn"),
    )
    MESSAGE_SENT = _message(
        "notifier:message:sent",
        "A message was posted; `call`: in a call of several, where each counts.",
        _CALL,
        **_STANDS,
    )
    MESSAGE_EDITED = _message(
        "notifier:message:edited",
        "A posted message was brought up to date; where none can be edited, by one more.",
        _CALL,
        **_STANDS,
    )
    MESSAGE_ELSEWHERE = _message(
        "notifier:message:elsewhere",
        "Somebody could not be told there, and is in that conversation with another account of "
        "theirs.",
        delivery=ID,
        to=TEXT,
    )
    MESSAGE_FAILED = _message(
        "notifier:message:failed",
        "A message was given up; `delivery`: it came back after it had been sent.",
        {"delivery": ID},
        why=TEXT,
    )
    MESSAGE_UNKNOWN = _message(
        "notifier:message:unknown",
        "Nobody knows whether a message was posted.",
        delivery=ID,
        why=TEXT,
    )
    MESSAGE_SETTLED = _task(
        "intake:message:settled",
        "A person said what became of a message of unknown outcome.",
        delivery=ID,
        slot=TEXT,
        answer=one_of("sent", "resend"),
    )
    MAIL_RECEIVED = _of(
        "mail",
        "intake:mail:received",
        "A mail came to a mailbox and its bytes are stored; the hash is that of them, or of its "
        "header where it is too large. It is dealt with afterwards.",
        mailbox=ID,
        came_by=one_of("imap", "smtp", "lmtp", "http", "file"),
        sha256=SHA256,
        size=WHOLE,
    )
    MAIL_SETTLED = _of(
        "mail",
        "intake:mail:settled",
        "What became of a mail, and why; what kind of mail it is, what made its sender believed "
        "(null: nothing did), what it began or went on with and whose it is. None of its words "
        "are in the log.",
        verdict=one_of("accepted", "held", "refused", "quarantined"),
        reason=TEXT,
        kind=TEXT,
        verified_by=or_none(TEXT),
        task=or_none(ID),
        person=or_none(ID),
    )
    MAIL_RETRIED = _of(
        "mail",
        "admin:mail:retried",
        "A mail that could not be read is to be tried anew, as if it had just come.",
    )
    MAIL_DROPPED = _of(
        "mail",
        "admin:mail:dropped",
        "A mail that could not be read is tried no more, and its bytes are deleted.",
    )
    TASK_RELATED = _task(
        "intake:task:related",
        "A task was asked for in the conversation of another, as something new.",
        to=ID,
    )
    LETTER_QUEUED = _of(
        "letter",
        "notifier:letter:queued",
        "A mail that is an answer was written; a worker sends it. `automatic`: nobody asked for "
        "it. Mails that tell a task's news are the calls of its messages.",
        mailbox=ID,
        task=or_none(ID),
        person=or_none(ID),
        answers=or_none(ID),
        automatic=FLAG,
    )
    LETTER_SENT = _of("letter", "notifier:letter:sent", "Its server took an answer.")
    LETTER_FAILED = _of(
        "letter",
        "notifier:letter:failed",
        "An answer was given up: its server refused it with that code (0: it was tried for long).",
        code=WHOLE,
    )
    LETTER_UNKNOWN = _of(
        "letter",
        "notifier:letter:unknown",
        "Nobody knows whether an answer was sent; it is not sent again.",
    )
    LETTER_BOUNCED = _of(
        "letter",
        "intake:letter:bounced",
        "A mail of ours came back, with that status (RFC 3463), or was refused at once; `paused`: "
        "nothing is sent to that address until then.",
        permanent=FLAG,
        status=TEXT,
        paused=or_none(TEXT),
    )
    LETTER_ARRIVED = _of(
        "letter",
        "intake:letter:arrived",
        "A mail of which nobody knew whether it was sent has been answered.",
    )
    LINK_MADE = _of(
        "task",
        "notifier:link:made",
        "A link was made that opens the file of that hash without a login until then, for that "
        "person or for whoever is given it.",
        reference=WHOLE,
        link=ID,
        person=or_none(ID),
        sha256=SHA256,
        until=TEXT,
    )
    LINK_OPENED = _of(
        "task",
        "reader:link:opened",
        "The file of a link was handed out. To whom is not known: whoever has the link opens it, "
        "and so do programs that look ahead, as chat apps and scanners of mail do. The envelope "
        "has the person it was made for, and where it was asked from.",
        reference=WHOLE,
        link=ID,
        sha256=SHA256,
    )
    LINK_REVOKED = _of(
        "task",
        "admin:link:revoked",
        "A link opens nothing from now on.",
        reference=WHOLE,
        link=ID,
    )
    PAGE_MADE = _of(
        "task",
        "notifier:page:made",
        "A person was sent the address of a page on which they decide that step, once and until "
        "then.",
        reference=WHOLE,
        page=ID,
        approval=ID,
        stage=ID,
        person=ID,
        until=TEXT,
    )
    PAGE_OPENED = _of(
        "task",
        "reader:page:opened",
        "What such a page shows was handed out, which decides nothing. To whom is not known: "
        "programs look ahead, as scanners of mail do. The envelope has the person it was made for, "
        "and where it was asked from.",
        reference=WHOLE,
        page=ID,
    )
    PAGE_CODED = _of(
        "task",
        "approval:page:coded",
        "A code was sent to the person's own chat, to be typed on their page until then.",
        reference=WHOLE,
        page=ID,
        until=TEXT,
    )
    PAGE_ENTERED = _of(
        "task",
        "approval:page:entered",
        "The code was typed: it is the person who is at their page.",
        reference=WHOLE,
        page=ID,
    )
    PAGE_REFUSED = _of(
        "task",
        "approval:page:refused",
        "Somebody was turned away from a page: signed in there as the person of the envelope, "
        "it is not theirs; or the code was wrong; or they were sent by another site.",
        reference=WHOLE,
        page=ID,
        why=one_of("other person", "code", "other site"),
    )
    PAGE_USED = _of(
        "task",
        "approval:page:used",
        "A decision was made on a page, which is worth nothing from now on.",
        reference=WHOLE,
        page=ID,
        stage=ID,
        action=one_of("approve", "reject", "return"),
    )
    CHAT_JOINED = _of(
        "organisation",
        "intake:chat:joined",
        "We are in a conversation of several people from now on; the hash is that of what its "
        "platform calls it.",
        **_CHAT,
    )
    CHAT_LEFT = _of(
        "organisation", "intake:chat:left", "We are in that conversation no longer.", **_CHAT
    )
    CHAT_MEMBER_LEFT = _of(
        "person",
        "intake:chat:departed",
        "A person left that conversation: so many of their unfinished tasks go on in their own "
        "conversation with us.",
        tasks=WHOLE,
        **_CHAT,
    )
    MESSAGE_UNSENT = _of(
        "organisation",
        "intake:message:unsent",
        "Somebody took back on the platform what they had said; what came of it stays.",
        message_sha256=SHA256,
        **_CHAT,
    )
    PAYEE_CHANGED = _of(
        "organisation",
        "admin:payee:changed",
        "A bank account to pay to was set, or removed: a person's, or a supplier's (null). Which "
        "account it is stands nowhere in the log.",
        account=ID,
        person=or_none(ID),
        removed=FLAG,
    )
    ORGANISATION_ADDED = _of(
        "organisation", "admin:organisation:added", "An organisation was added.", slug=TEXT
    )
    COMPANY_CHANGED = _of(
        "organisation",
        "admin:company:changed",
        "A company's particulars were changed. Those that rule its documents now are as said; of "
        "its price list and ledger only the connector is.",
        **_PARTICULARS,
    )
    ROUTE_CHANGED = _of(
        "organisation",
        "admin:route:changed",
        "A route of approvals was changed; requests from now on take the version whose text has "
        "that hash, or where it is not in force what came with Miyabi.",
        route=TEXT,
        version=WHOLE,
        source_sha256=SHA256,
        in_force=FLAG,
    )
    PERSON_ADDED = _of("person", "admin:person:added", "A person was added.", **_PERSON)
    PERSON_CHANGED = _of(
        "person",
        "admin:person:changed",
        "A person's particulars were changed; these are the roles now.",
        active=FLAG,
        **_PERSON,
    )
    PERSON_PLACED = _of(
        "person",
        "admin:person:placed",
        "Where a person stands in the company was changed: routes find approvers by it.",
        department=_THEIRS,
        post=_THEIRS,
        grade=_THEIRS,
        superior=or_none(ID),
    )
    DELEGATION_MADE = _of(
        "person",
        "intake:delegation:made",
        "A person chose who decides in their place on those days; without forms, of all.",
        **_DELEGATION,
    )
    DELEGATION_REVOKED = _of(
        "person", "intake:delegation:revoked", "A person took that back.", **_DELEGATION
    )
    DELEGATION_SET = _of(
        "person",
        "admin:delegation:made",
        "An admin or the operator chose who decides in a person's place on those days.",
        **_DELEGATION,
    )
    DELEGATION_UNSET = _of(
        "person", "admin:delegation:revoked", "An admin or the operator took that back.",
        **_DELEGATION,
    )  # fmt: skip
    ACCOUNT_LINKED = _of(
        "person",
        "admin:account:linked",
        "An account on a platform is the person's from now on.",
        account=_THEIRS,
    )
    ACCOUNT_UNLINKED = _of(
        "person",
        "admin:account:unlinked",
        "An account on a platform is the person's no longer.",
        account=_THEIRS,
    )
    ACCOUNT_UNREACHABLE = _of(
        "person",
        "intake:account:unreachable",
        "The person is not reached by an account any more (they blocked us there, say): what is "
        "for them goes to their others.",
        account=_THEIRS,
    )
    ACCOUNT_REACHED = _of(
        "person",
        "intake:account:reached",
        "The person is reached by that account again.",
        account=_THEIRS,
    )
    ACCOUNT_CHANGED = _of(
        "person",
        "intake:account:changed",
        "What the person wants to be told there was changed: whether, where it costs something, "
        "that what they were asked has ended.",
        account=_THEIRS,
        tells_ends=FLAG,
    )
    CODE_MADE = _of(
        "person",
        "intake:code:made",
        "The person was told a code by which another account becomes theirs, once and until then; "
        "`code` is its row, not the code.",
        code=ID,
        until=TEXT,
    )
    CHAT_CHANGED = _of(
        "organisation",
        "admin:chat:changed",
        "Whether amounts may be shown in a conversation of several people was changed; the hash is "
        "that of what its platform calls it.",
        platform=TEXT,
        workspace=TEXT,
        chat_sha256=SHA256,
        amounts=FLAG,
    )
    PERSON_ERASED = _of(
        "person",
        "admin:person:erased",
        "A person's key was destroyed: what was sealed under it can't be opened any more. Their "
        "tasks, and issued documents that the law has kept until that day.",
        tasks=WHOLE,
        documents=WHOLE,
        kept_until=or_none(TEXT),
    )
    TOKEN_CREATED = _of(
        "person",
        "admin:token:created",
        "A program was given a token of the person's; `token` is its name, not the token.",
        **_TOKEN,
    )
    TOKEN_REVOKED = _of(
        "person", "admin:token:revoked", "A token is worth nothing from now on.", **_TOKEN
    )
    ARCHIVE_KEPT = _of(
        "organisation",
        "worker:archive:kept",
        "The events of a month (and leaves from `first` up to before `end`) lie in the store as a "
        "file of that hash, which was read back and verified.",
        month=TEXT,
        first=WHOLE,
        end=WHOLE,
        sha256=SHA256,
    )
    ARCHIVE_DROPPED = _of(
        "organisation",
        "worker:archive:dropped",
        "So many events of a month left the database; they are in the archive of that hash.",
        month=TEXT,
        events=WHOLE,
        sha256=SHA256,
    )
    ARCHIVE_RESTORED = _of(
        "organisation",
        "admin:archive:restored",
        "The events of a month were brought back into the database from its archive.",
        month=TEXT,
        events=WHOLE,
        sha256=SHA256,
    )
    ARCHIVE_EXPIRED = _of(
        "organisation",
        "admin:archive:expired",
        "A month's archive was let go of, as its years of retention are over.",
        month=TEXT,
        sha256=SHA256,
    )
    DOCUMENT_DROPPED = _of(
        "organisation",
        "admin:document:dropped",
        "A document's file was let go of, as its years of retention are over.",
        document=ID,
        number=TEXT,
        sha256=or_none(SHA256),
    )
    HOLD_PLACED = _of(
        "organisation",
        "admin:hold:placed",
        "Nothing of these days is dropped from now on, however old (legal hold); null is any day.",
        hold=ID,
        since=or_none(TEXT),
        until=or_none(TEXT),
    )
    HOLD_RELEASED = _of(
        "organisation", "admin:hold:released", "A legal hold holds nothing from now on.", hold=ID
    )
    WORKSPACE_CONNECTED = _of(
        "installation",
        "admin:workspace:connected",
        "A platform's workspace was connected; what it calls itself is not said here.",
        platform=TEXT,
        workspace=TEXT,
    )
    WORKSPACE_REMOVED = _of(
        "installation",
        "admin:workspace:removed",
        "A workspace took its leave, and its token was forgotten.",
        platform=TEXT,
        workspace=TEXT,
    )
    NOTICE_PUBLISHED = _of(
        "notice",
        "notifier:notice:published",
        "Something that people should hear, by a program or by what happened to a task.",
        topic=TEXT,
        importance=_IMPORTANCE,
        sender=or_none(ID),
        task=or_none(ID),
    )
    NOTICE_DECIDED = _of(
        "notice",
        "notifier:notice:decided",
        "Who is told of it, by which channels: so many dispatches, each as its id, channel and "
        "first state.",
        dispatches=list_of(TEXT),
    )
    NOTICE_COUNTED = _of(
        "notice",
        "notifier:notice:counted",
        "The same happened again: it is told as one, with how often, at most every few seconds.",
        count=WHOLE,
        resolved=FLAG,
    )
    NOTICE_CANCELLED = _of(
        "notice",
        "notifier:notice:cancelled",
        "It is not true any more: what was not sent yet is not.",
    )
    NOTICE_ACKNOWLEDGED = _of(
        "notice",
        "notifier:notice:acknowledged",
        "Somebody said that they have it (or it was read or decided): nobody else is told.",
        how=one_of("pressed", "read", "decided", "command", "program"),
    )
    NOTICE_ESCALATED = _of(
        "notice",
        "notifier:notice:escalated",
        "Nobody acknowledged it in time: the people of the next rung are told.",
        rung=WHOLE,
        people=list_of(ID),
    )
    NOTICE_EXPIRED = _of(
        "notice",
        "notifier:notice:expired",
        "It came to its end without anybody's acknowledgement.",
    )
    DISPATCH_SENDING = _dispatch("sending", "It is about to be sent.", revision=WHOLE)
    DISPATCH_SENT = _dispatch(
        "sent",
        "The provider took it, or an edit of it; what it calls it is `external_id`.",
        revision=WHOLE,
        external_id=TEXT,
        how=one_of("answered", "found", "again"),
    )
    DISPATCH_SEEN = _dispatch(
        "seen", "The platform says that it arrived, or was read.", state=one_of("delivered", "read")
    )
    DISPATCH_HELD = _dispatch(
        "held", "It waits for a moment or for a digest.", reason=TEXT, until=or_none(TEXT)
    )
    DISPATCH_DIGESTED = _dispatch("digested", "It was told as part of a digest.", digest=ID)
    DISPATCH_LATER = _dispatch(
        "later", "It was not sent, and is tried again.", reason=TEXT, attempt=WHOLE
    )
    DISPATCH_UNKNOWN = _dispatch(
        "unknown", "Nobody knows whether it was sent; it is not sent again by itself.", reason=TEXT
    )
    DISPATCH_FAILED = _dispatch(
        "failed", "It was not sent and will not be.", reason=TEXT, permanent=FLAG
    )
    DISPATCH_DROPPED = _dispatch("dropped", "It need not be sent any more.", reason=TEXT)
    DISPATCH_REPLAYED = _dispatch(
        "replayed", "Somebody had what had failed sent once more, under the same key.", again=FLAG
    )
    DISPATCH_ELSEWHERE = _dispatch(
        "elsewhere", "It could not be told by this channel: the next one is `to`.", to=ID
    )
    DIGEST_CLOSED = _of(
        "person",
        "notifier:digest:closed",
        "What waited for a digest went out as one, or there was nothing left to tell.",
        digest=ID,
        items=WHOLE,
        left_out=WHOLE,
    )
    PREFERENCES_CHANGED = _of(
        "person",
        "intake:preferences:changed",
        "Somebody chose how they are told; the fields that changed.",
        changed=list_of(TEXT),
    )
    RULES_CHANGED = _of(
        "organisation",
        "admin:rules:changed",
        "Who hears of what and where, by the company's own rules: the file of that hash.",
        version=WHOLE,
        sha256=SHA256,
    )
    REPORT_SWITCHED = _of(
        "organisation",
        "admin:report:switched",
        "A report is sent at that time of day from now on; null: no more.",
        report=one_of("daily", "weekly"),
        at=or_none(TEXT),
    )
    TEMPLATE_CHANGED = _of(
        "organisation",
        "admin:template:changed",
        "A company has its own words for a topic, of that hash; null: ours again.",
        topic=TEXT,
        language=one_of("ja", "en", "zh"),
        sha256=or_none(SHA256),
    )
    SENDER_ADDED = _of(
        "sender",
        "admin:sender:added",
        "A program may have people told of these topics, by a key of its own.",
        name=TEXT,
        topics=list_of(TEXT),
    )
    SENDER_REVOKED = _of("sender", "admin:sender:revoked", "A program's key was taken back.")
    PLACE_ADDED = _of(
        "place", "admin:place:added", "A place that is told things.", name=TEXT, channel=TEXT
    )
    PLACE_CHANGED = _of("place", "admin:place:changed", "A place has other settings or secrets.")
    PLACE_OFF = _of(
        "place", "notifier:place:off", "A place answers that it is gone: it is told nothing more."
    )
    PLACE_ON = _of("place", "notifier:place:on", "A place that was off was reached again.")
    PLACE_REMOVED = _of("place", "admin:place:removed", "A place is told nothing any more.")
    ROTA_CHANGED = _of(
        "rota",
        "admin:rota:changed",
        "Who is on call in turn, and from when.",
        name=TEXT,
        people=list_of(ID),
        zone=TEXT,
    )
    ROTA_SWAPPED = _of(
        "rota",
        "admin:rota:swapped",
        "Somebody is on call in another's place, for that time; `removed`: no more.",
        person=ID,
        since=TEXT,
        until=TEXT,
        removed=FLAG,
    )
    CIRCUIT_CHANGED = _of(
        "organisation",
        "notifier:circuit:changed",
        "Whether a provider is spoken to: it failed too often, is tried, or works again.",
        provider=TEXT,
        state=one_of("open", "half_open", "closed"),
    )
    MAILBOX_ADDED = _of(
        "mailbox",
        "admin:mailbox:added",
        "A mailbox was added: what is asked for there, and what makes us believe who writes to it. "
        "The hash is that of its address.",
        address_sha256=SHA256,
        **_MAILBOX,
    )
    MAILBOX_CHANGED = _of(
        "mailbox",
        "admin:mailbox:changed",
        "A mailbox has other settings or passwords; what makes us believe a sender from now on.",
        **_MAILBOX,
    )
    MAILBOX_REMOVED = _of(
        "mailbox",
        "admin:mailbox:removed",
        "A mailbox is not used any more, and its passwords were forgotten.",
    )
    LOG_SEARCHED = _of(
        "person",
        "reader:log:searched",
        "Somebody looked for documents or events, and was shown so many. Of names and words only "
        "that they were looked for. Of the organisation's stream where it was the operator.",
        rows=WHOLE,
        first=FLAG,
        **_LOOKED,
    )
    EXPORT_BEGUN = _of(
        "person",
        "reader:export:begun",
        "Somebody is about to take along what they looked for.",
        form=_FORM,
        **_LOOKED,
    )
    EXPORT_FINISHED = _of(
        "person",
        "reader:export:finished",
        "So much was taken along, whole, as a file of that hash.",
        form=_FORM,
        rows=WHOLE,
        sha256=SHA256,
        **_LOOKED,
    )
    LOG_COMPARED = _of(
        "organisation",
        "house:log:compared",
        "What the tables say of the tasks of a stretch of time was compared with their events, "
        "both ways: so many facts of so many tasks, of which so many, of these kinds, stand on one "
        "side only. `gapless`: nothing since the last good run was left out. `accepted`: "
        "somebody knows what is lacking, and the next run begins where this one ended.",
        since=TEXT,
        until=TEXT,
        gapless=FLAG,
        tasks=WHOLE,
        facts=WHOLE,
        lacking=WHOLE,
        kinds=list_of(one_of(*FACTS)),
        accepted=FLAG,
    )
