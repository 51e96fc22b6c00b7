"""Tokens at rest: encrypted with the installation's key, and bound to the workspace they open."""

import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.cipher import decrypted, derived, encrypted
from core.errors import Permanent
from core.words import Words

WRONG_KEY = Words(
    ja="保存されたSlackのトークンを復号できません。MIYABI_SECRET_KEY を変えた場合は元に戻すか、"
    "ワークスペースにアプリを入れ直してください。",
    en="The stored Slack token can't be decrypted. If MIYABI_SECRET_KEY was changed, put it back, "
    "or install the app in the workspace again.",
    zh="无法解密已保存的 Slack 令牌。如更改过 MIYABI_SECRET_KEY，请恢复原值，"
    "或在工作区重新安装应用。",
)

_VERSION = b"\x01"


def seal(key: bytes, workspace: str, secrets: Mapping[str, str]) -> bytes:
    """Encrypt. The workspace is part of it: a row copied to another one opens nothing."""
    content = json.dumps(dict(secrets)).encode()
    return _VERSION + encrypted(_cipher(key), content, workspace.encode())


def unseal(key: bytes, workspace: str, sealed: bytes) -> dict[str, str]:
    """Decrypt. Raises Permanent where the key is another one or the row was tampered with."""
    content = sealed[len(_VERSION) :]
    try:
        opened: dict[str, str] = json.loads(decrypted(_cipher(key), content, workspace.encode()))
    except InvalidTag as error:
        raise Permanent(WRONG_KEY) from error
    return opened


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(derived(key, b"miyabi: slack tokens at rest"))
