"""Reports on mails of ours: which letter each is about, and what is learned from it.

Anybody can write a report. It says something about a letter only where it names it by what nobody
else can make up: its return path, or its Message-ID.
"""

from uuid import UUID

from bot.email import bounces, ids, letters, verp
from bot.email.case import Case
from bot.email.reading.mail import Failed
from core.unit import Unit

_UNNAMED = Failed("", permanent=True)
"""Whoever the letter went to, where a report does not say who did not get it."""


def letter_of_return_path(case: Case) -> UUID | None:
    """The letter to whose return path it came: an address that is told to mail servers alone."""
    addresses = [*case.recipients, *case.mail.about]
    named = (verp.read(case.house, case.lay_in, address) for address in addresses)
    return next((letter for letter in named if letter is not None), None)


def letter_of(case: Case) -> UUID | None:
    """The letter of ours that a report is about."""
    by_path = letter_of_return_path(case)
    if by_path is not None:
        return by_path
    return _letter_of_message_ids(case)


def _letter_of_message_ids(case: Case) -> UUID | None:
    told = (ids.letter_of(case.house, each) for each in (*case.mail.about, *case.mail.references))
    return next((letter for letter in told if letter is not None), None)


async def learn(work: Unit, case: Case) -> None:
    """Write what a mail that nobody wrote says of a letter of ours."""
    by_path = letter_of_return_path(case)
    letter = by_path or _letter_of_message_ids(case)
    if letter is None:
        return
    organisation_id = case.box.organisation_id
    if not case.mail.is_bounce:
        if case.mail.kind in {"auto_reply", "mdn", "dsn_success"}:
            await letters.arrived(work, organisation_id, letter)
        return
    for failed in case.mail.failed or [_UNNAMED]:
        why = failed.why or failed.status
        # A Message-ID is shown to whoever the letter is forwarded to: it says too little to
        # pause somebody's address.
        surely = by_path is not None
        await bounces.bounced(work, organisation_id, failed, letter, why, surely=surely)
