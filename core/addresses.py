"""Addresses as settings have them: checked, and spelt as those want them who connect."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, AnyHttpUrl, SecretStr, TypeAdapter


def _database_url(value: SecretStr) -> SecretStr:
    """Spell a PostgreSQL address the way SQLAlchemy's asyncpg driver wants it."""
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError("should look like postgresql://user:password@host:5432/database")
    # `sslmode` is libpq's word; asyncpg takes the same values under `ssl`.
    query = [("ssl" if k == "sslmode" else k, v) for k, v in parse_qsl(parts.query)]
    # By hand: urllib drops the `//` of an address without a host, which a unix socket has.
    address = f"postgresql+asyncpg://{parts.netloc}{parts.path}"
    return SecretStr(f"{address}?{urlencode(query, safe='/')}" if query else address)


def _redis_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("should look like redis://host:6379/0, rediss:// or unix:///path")
    return value


def _http_url(value: str) -> str:
    TypeAdapter(AnyHttpUrl).validate_python(value)
    return value.rstrip("/")


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
