"""The key that encrypts tokens at rest: set by the installer, or made once beside embedded data."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

from pydantic import SecretStr

from core.errors import Permanent
from core.settings import Settings, decoded_key
from core.words import Words

_KEY_MISSING = Words(
    ja="MIYABI_SECRET_KEY が設定されていません。`openssl rand -base64 32` で作成し、"
    "すべてのプロセスに同じ値を設定してください。",
    en="MIYABI_SECRET_KEY is not set. Make one with `openssl rand -base64 32` and give every "
    "process the same.",
    zh="尚未设置 MIYABI_SECRET_KEY。请用 `openssl rand -base64 32` 生成，"
    "并让所有进程使用同一个值。",
)


def secret_key(settings: Settings) -> bytes:
    """The 32 bytes that encrypt tokens at rest.

    On the embedded database a key is made once, in `home/secret.key`, readable by its owner only.
    Raises `Permanent` where a real database is set and no key: each process would make its own.
    """
    if settings.secret_key is not None:
        return decoded_key(settings.secret_key)
    if settings.database_url is not None:
        raise Permanent(_KEY_MISSING)
    path = settings.home / "secret.key"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        write_once(path, base64.urlsafe_b64encode(secrets.token_bytes(32)))
    return decoded_key(SecretStr(path.read_text("ascii").strip()))


def write_once(path: Path, content: bytes) -> None:
    """Create the file whole or not at all; of two processes at once the first wins."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(content)  # NamedTemporaryFile gives mode 0600
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return
