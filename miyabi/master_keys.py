"""The master keys that wrap the keys of persons: of the settings, else what the secret key gives.

On the embedded database one is made once, in a file beside it. Who has the database and this file
can open what was sealed for persons who were not erased, and nothing of those who were.
"""

import base64
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from audit.subjects import PersonalKeys
from core.errors import Permanent
from core.secret_key import secret_key, write_once
from core.settings import Settings, decoded_key
from core.words import Words

_UNUSABLE = Words(
    ja="個人データのマスター鍵（{where}）を使えません: {why}",
    en="The master key for personal data ({where}) can't be used: {why}",
    zh="无法使用个人数据的主密钥（{where}）: {why}",
)


def personal_keys(settings: Settings) -> PersonalKeys:
    """The keys of persons, by the master keys of this installation. Raises Permanent."""
    return PersonalKeys(masters(settings))


def key_file(settings: Settings) -> Path:
    """Where master keys are kept, unless they come by a variable."""
    return settings.audit.personal_key_file or settings.home / "personal.key"


def masters(settings: Settings) -> Sequence[bytes]:
    """The master keys, the one that wraps first. Raises Permanent where there is none to use.

    Behind those that are set comes the secret key's, so that one can be set later: what it wrapped
    can still be opened.
    """
    if settings.database_url is None and settings.audit.personal_key is None:
        return _of_file(key_file(settings), make=True)
    found: list[bytes] = []
    if settings.audit.personal_key is not None:
        words = settings.audit.personal_key.get_secret_value()
        found += _read("MIYABI_AUDIT_PERSONAL_KEY", words)
    elif settings.audit.personal_key_file is not None:
        found += _of_file(settings.audit.personal_key_file, make=False)
    if not found or settings.secret_key is not None:
        found.append(secret_key(settings))
    return found


def _of_file(path: Path, *, make: bool) -> Sequence[bytes]:
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_once(path, base64.b64encode(secrets.token_bytes(32)) + b"\n")
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError("others can read it; chmod 600")
        return _read(str(path), path.read_text("ascii"))
    except (OSError, UnicodeError) as error:
        raise Permanent(_UNUSABLE.fill(where=path, why=error)) from error


def _read(where: str, words: str) -> Sequence[bytes]:
    try:
        found = [decoded_key(SecretStr(word)) for word in words.split()]
        if not found:
            raise ValueError("it is empty")
    except ValueError as error:
        raise Permanent(_UNUSABLE.fill(where=where, why=error)) from error
    return found
