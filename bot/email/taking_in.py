"""The files of a mail that go with what it asks for, and the store that keeps them and it."""

import re
from collections.abc import Sequence

from bot.email.reading.mail import File, Mail
from core.documents import Files
from core.inbound import SentFile

MAIL = "message/rfc822"

_DECORATION = 30 * 1024
"""Bytes up to which a picture in the text is a logo or a smiley; no photograph of a receipt is so
small."""

_NO_FILES = re.compile(
    r"message/|text/(?:calendar|x-vcard|vcard)$|application/(?:ics|(?:x-)?pkcs7-|pgp-|ms-tnef)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?:image|img|oledata)\d{3}\.(?:png|gif|jpe?g|bmp|emz|wmz|mso)$", re.I)
"""What Outlook calls the pictures of a signature."""


def worth_keeping(mail: Mail) -> list[File]:
    """The files that somebody sent on purpose, each once.

    Neither signatures nor mails in the mail nor invitations: those lie in the stored mail. Pictures
    that decorate the text are left out, unless there is nothing else in it.
    """
    sent = [
        file
        for file in mail.files
        if file.role == "attachment"
        and file.content
        and not _NO_FILES.match(file.media_type)
        and not _NO_FILES.match(file.declared)
    ]
    needed = [file for file in sent if not _decorates(file)]
    if not needed and not mail.written.new.strip():
        needed = sent
    return list({file.sha256: file for file in reversed(needed)}.values())[::-1]


def _decorates(file: File) -> bool:
    if not file.media_type.startswith("image/") or len(file.content) > _DECORATION:
        return False
    return file.inline or _NUMBERED.match(file.name) is not None


async def keep(store: Files, files: Sequence[File]) -> tuple[SentFile, ...]:
    """Put files into the organisation's store, and say what each is fetched by. What is there
    already is kept once. Raises TryLater where the store is away."""
    return tuple([await _kept(store, file) for file in files])


async def _kept(store: Files, file: File) -> SentFile:
    sha256 = await store.put(file.content, file.media_type)
    return SentFile(sha256, file.name, file.media_type, len(file.content))


async def keep_mail(store: Files, raw: bytes) -> None:
    """Keep the mail itself as long as documents, by the hash that its row has."""
    await store.put(raw, MAIL)


def names(files: Sequence[File]) -> str:
    """What the files are called, for a mail that says nothing else."""
    return ", ".join(file.name for file in files if file.name)
