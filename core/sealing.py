"""Tokens at rest: encrypted with the installation's key, and bound to the workspace they open."""

import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.cipher import decrypted, derived, encrypted
from core.errors import Permanent
from core.words import Words

WRONG_KEY = Words(
    ja="保存されたトークン（{platform}）を復号できません。MIYABI_SECRET_KEY を変えた場合は"
    "元に戻すか、接続し直してください。",
    en="The stored token ({platform}) can't be decrypted. If MIYABI_SECRET_KEY was changed, put it "
    "back, or connect the workspace again.",
    zh="无法解密已保存的令牌（{platform}）。如更改过 MIYABI_SECRET_KEY，请恢复原值，"
    "或重新连接工作区。",
)

_VERSION = b"\x01"


def seal(key: bytes, platform: str, workspace: str, secrets: Mapping[str, str]) -> bytes:
    """Encrypt. The workspace is part of it: a row copied to another one opens nothing."""
    content = json.dumps(dict(secrets)).encode()
    return _VERSION + encrypted(_cipher(key, platform), content, workspace.encode())


def unseal(key: bytes, platform: str, workspace: str, sealed: bytes) -> dict[str, str]:
    """Decrypt. Raises Permanent where the key is another one or the row was tampered with."""
    content = sealed[len(_VERSION) :]
    try:
        bare = decrypted(_cipher(key, platform), content, workspace.encode())
    except InvalidTag as error:
        raise Permanent(WRONG_KEY.fill(platform=platform)) from error
    opened: dict[str, str] = json.loads(bare)
    return opened


def _cipher(key: bytes, platform: str) -> AESGCM:
    return AESGCM(derived(key, f"miyabi: {platform} tokens at rest".encode()))
