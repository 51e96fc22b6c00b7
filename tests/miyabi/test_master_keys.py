"""Where the master keys for personal data come from."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import Permanent
from core.settings import AuditSettings, Settings
from miyabi.master_keys import masters

_FIRST, _SECOND = b"1" * 32, b"2" * 32


def written(*keys: bytes) -> str:
    return "\n".join(base64.b64encode(key).decode() for key in keys)


def elsewhere(home: Path, **more: object) -> Settings:
    return Settings(home=home, database_url=SecretStr("postgresql://x/y"), **more)  # type: ignore[arg-type]


def test_beside_embedded_data_one_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    here = Settings(home=tmp_path, database_url=None)

    assert masters(here) == masters(here)
    assert (tmp_path / "personal.key").stat().st_mode & 0o777 == 0o600


def test_elsewhere_they_are_set_or_derived_of_the_secret_key(tmp_path: Path) -> None:
    file, secret = tmp_path / "keys", SecretStr(written(b"s" * 32))
    file.write_text(written(_FIRST, _SECOND))
    file.chmod(0o600)
    by_file = AuditSettings(personal_key_file=file)
    by_variable = AuditSettings(personal_key=SecretStr(written(_SECOND)))

    assert masters(elsewhere(tmp_path, audit=by_file)) == [_FIRST, _SECOND]
    assert masters(elsewhere(tmp_path, secret_key=secret)) == [b"s" * 32]
    # What the secret key wrapped before one was set can still be opened.
    assert masters(elsewhere(tmp_path, audit=by_variable, secret_key=secret)) == [
        _SECOND,
        b"s" * 32,
    ]


def test_what_can_not_be_used_is_told(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    for content, mode in ((written(_FIRST), 0o644), ("", 0o600), ("hush", 0o600)):
        file.write_text(content)
        file.chmod(mode)
        with pytest.raises(Permanent, match="keys"):
            masters(elsewhere(tmp_path, audit=AuditSettings(personal_key_file=file)))
    with pytest.raises(Permanent, match="MIYABI_SECRET_KEY"):
        masters(elsewhere(tmp_path))
