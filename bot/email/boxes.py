"""Mailboxes: the addresses that are written to, whom each trusts, and its ways in and out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Purpose = Literal["general", "quote", "expense", "support"]
Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed of mail that comes to a mailbox.

    `authserv_ids`: whose Authentication-Results are believed (RFC 8601, 5); `*.x` is every host
    under x. `topmost`: the provider adds none, and its own is the first. `domains`: from there
    people may ask who are not known yet, once the sender is verified. `dkim`: signatures are
    checked by ourselves where there is no such header.
    """

    authserv_ids: tuple[str, ...] = ()
    topmost: bool = False
    domains: tuple[str, ...] = ()
    dkim: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the mailbox's provider. `oauth2`: XOAUTH2 with a token of `OAuth`."""

    host: str
    port: int
    user: str = ""
    security: Security = "tls"
    oauth2: bool = False


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where access tokens come from (RFC 6749, 6); the secrets are `client_secret` and
    `refresh_token`."""

    token_url: str
    client_id: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox. `workspace` is what its organisation is called in accounts of mail (its slug).

    `plus`: the provider delivers address+anything@ to it (RFC 5233). `folder` is what is read by
    IMAP; `moves_to`, the folder that what was stored is moved to (None: it is marked as seen).
    `imap` and `smtp` are None where mail comes another way, or goes out by the settings' server.
    """

    id: UUID
    organisation_id: UUID
    workspace: str
    address: str
    purpose: Purpose = "general"
    name: str = "Miyabi"
    trust: Trust = field(default_factory=Trust)
    imap: Server | None = None
    smtp: Server | None = None
    oauth: OAuth | None = None
    folder: str = "INBOX"
    moves_to: str | None = None
    plus: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`imap_password`, `smtp_password`, `client_secret`, `refresh_token`, `post_secret`."""
