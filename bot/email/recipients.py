"""Whom a mail is for: which of our mailboxes."""

from collections.abc import Sequence

from bot.email.boxes import Box


def without_tag(address: str) -> str:
    """The address that everything behind its + is delivered to."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def names(box: Box, recipients: Sequence[str]) -> bool:
    """Whether a mail is said to be for this mailbox."""
    return box.address in map(without_tag, recipients)


def meant(boxes: Sequence[Box], box: Box, recipients: Sequence[str]) -> Box:
    """The mailbox that a mail is for, of those of its organisation.

    Usually the one in which it lay. Several addresses may share one mailbox at the provider's: then
    it is that of the surest recipient, unless the one in which it lay is named as well (a mail to
    two mailboxes lies in both).
    """
    if names(box, recipients):
        return box
    named = dict.fromkeys(map(without_tag, recipients))
    ours = {each.address: each for each in boxes if each.organisation_id == box.organisation_id}
    return next((ours[address] for address in named if address in ours), box)
