"""What is known of some providers of mail, so that a mailbox of theirs needs few words.

Only what they publish. Whose results are believed (`Trust`) is preset where the provider always
writes its own and takes away those that came with a mail by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.email.boxes import Security, Trust


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's servers and habits. A host of None is the customer's own and has to be told;
    `token_url` may have a {tenant}. `oauth`: it takes no passwords."""

    imap: str | None
    smtp: str | None
    imap_port: int = 993
    imap_security: Security = "tls"
    smtp_port: int = 465
    smtp_security: Security = "tls"
    token_url: str = ""
    scope: str = ""
    oauth: bool = False
    plus: bool = False
    trust: Trust = field(default_factory=Trust)


PROVIDERS: Mapping[str, Provider] = {
    # Gmail gives results as mx.google.com, and delivers address+tag.
    "google": Provider(
        "imap.gmail.com",
        "smtp.gmail.com",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106  # an address
        scope="https://mail.google.com/",
        plus=True,
        trust=Trust(("mx.google.com",)),
    ),
    # Exchange Online takes no passwords for IMAP, and writes its results without a name of its own.
    "microsoft": Provider(
        "outlook.office365.com",
        "smtp.office365.com",
        smtp_port=587,
        smtp_security="starttls",
        token_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",  # noqa: S106
        scope="https://outlook.office365.com/.default",
        oauth=True,
        plus=True,
        trust=Trust(topmost=True),
    ),
    # Hosts are the customer's own (…sakura.ne.jp, sv….xserver.jp).
    "sakura": Provider(None, None, smtp_port=587, smtp_security="starttls"),
    "xserver": Provider(None, None),
}
