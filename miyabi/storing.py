"""Where this installation keeps documents and archives, by its settings."""

from pathlib import Path

from audit.store import Store, in_bucket, on_disk
from core.errors import Permanent
from core.settings import Settings
from core.words import Words

_UNUSABLE = Words(
    ja="書類の保存先 {where} を使えません: {why}",
    en="The store of documents, {where}, can't be used: {why}",
    zh="无法使用文件存储 {where}: {why}",
)


def open_store(settings: Settings) -> Store:
    """The folder or bucket of the settings. Raises Permanent where there can be none."""
    given = settings.store
    try:
        if given.url is not None and given.url.startswith("s3://"):
            return in_bucket(
                given.url,
                endpoint=given.endpoint,
                region=given.region,
                access_key_id=given.access_key_id,
                secret_access_key=(
                    given.secret_access_key.get_secret_value() if given.secret_access_key else None
                ),
            )
        return on_disk(Path(given.url).expanduser() if given.url else settings.home / "store")
    except (OSError, ValueError) as error:
        where = given.url or settings.home / "store"
        raise Permanent(_UNUSABLE.fill(where=where, why=error)) from error
