"""Which keys sign the audit log's checkpoints here: those of the settings, or one made once.

A key on the machine of the database is no more than a seal against accidents: who owns that machine
has the key as well. So it is made by itself on the embedded database only.
"""

from collections.abc import Sequence
from pathlib import Path

from audit.keys import Signer, signers_in, signers_of_file
from audit.note import NoteKey
from core.errors import Permanent
from core.secret_key import write_once
from core.settings import Settings
from core.words import Words

NAME = "miyabi"

_UNUSABLE = Words(
    ja="監査ログの署名鍵（{where}）を使えません: {why}",
    en="The key that signs the audit log ({where}) can't be used: {why}",
    zh="无法使用审计日志的签名密钥（{where}）: {why}",
)


def key_file(settings: Settings) -> Path:
    """Where keys are kept, unless they come by a variable."""
    return settings.audit.key_file or settings.home / "audit.key"


def signers(settings: Settings) -> Sequence[Signer]:
    """The keys to sign with. None where none is set: the log then grows without checkpoints.

    Raises Permanent where there should be one and it can't be used.
    """
    if settings.audit.key is not None:
        return _read("MIYABI_AUDIT_KEY", settings.audit.key.get_secret_value())
    path = key_file(settings)
    if not path.exists() and settings.audit.key_file is None:
        if settings.database_url is not None:
            return ()
        settings.home.mkdir(parents=True, exist_ok=True)
        write_once(path, NoteKey.made(NAME).written().encode())
    try:
        return signers_of_file(path)
    except (OSError, ValueError) as error:
        raise Permanent(_UNUSABLE.fill(where=path, why=error)) from error


def _read(where: str, content: str) -> Sequence[Signer]:
    try:
        return signers_in(content)
    except ValueError as error:
        raise Permanent(_UNUSABLE.fill(where=where, why=error)) from error
