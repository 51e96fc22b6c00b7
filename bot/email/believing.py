"""Whether a mail is from whom it says it is from."""

from dataclasses import dataclass
from typing import Literal

from bot.email.boxes import Box, Trust
from bot.email.dkim_check import Resolve, check, txt_of
from bot.email.reading.authentication import judge
from bot.email.reading.mail import Mail

_ITS_OWN = ("imap", "file")
"""The ways on which a mail comes from the server that a mailbox is read from; what is handed in as
a file is the operator's word."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What is believed of a sender. `by`: what makes us believe it, for the log; None: nothing
    does. `refused`: somebody surely wrote in another's name, or in nobody's. `why` is for the log,
    in English."""

    by: Literal["dmarc", "dkim"] | None
    refused: Literal["forged"] | None
    why: str


async def verify(
    box: Box, mail: Mail, raw: bytes, resolve: Resolve = txt_of, *, came_by: str = "imap"
) -> Verified:
    """What the mailbox's provider says of the sender, or the signature of the sender's domain.

    Signatures are checked by ourselves only where no provider that is trusted has spoken: it saw
    where the mail came from, too. Of a mailbox that is read by IMAP the provider is whom it is read
    from: to what came another way (`came_by`), anybody may have put the provider's name. `resolve`
    asks the DNS for keys.
    """
    sender = mail.sender
    named = sum(name.lower() == "from" for name, _ in mail.headers)
    domain = sender.address.rpartition("@")[2] if sender is not None else ""
    if named != 1 or not domain:
        return Verified(None, "forged", "From does not name exactly one sender")
    trust = box.trust
    if box.imap is not None and came_by not in _ITS_OWN:
        trust = Trust(dkim=trust.dkim)
    said = judge(mail.headers, domain, trust.authserv_ids, topmost=trust.topmost)
    if said.verdict == "pass" and said.by:
        return Verified(said.by, None, said.why)
    if said.verdict == "fail":
        return Verified(None, "forged", said.why)
    if said.verdict == "none" or not trust.dkim:
        return Verified(None, None, said.why)
    checked = await check(raw, domain, resolve)
    return Verified("dkim" if checked.good else None, None, checked.why)
