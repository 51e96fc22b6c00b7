"""The bytes of what is enclosed, for ways out: with errors as these raise them."""

from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from core.errors import Permanent, TryLater
from core.ports import ReadFile
from core.words import Words

NO_FILE = Words(
    ja="書類 {sha256} が保管庫にありません。",
    en="The store has no document {sha256}.",
    zh="存储中没有文件 {sha256}。",
)


async def read_kept(read: ReadFile, organisation_id: UUID, sha256: str, away: Words) -> bytes:
    """Raises Permanent where there is no such file, TryLater with the words of `away` (of `{why}`)
    where the database can't be asked."""
    try:
        return await read(organisation_id, sha256)
    except LookupError as error:
        raise Permanent(NO_FILE.fill(sha256=sha256[:12])) from error
    except (SQLAlchemyError, OSError) as error:
        raise TryLater(away.fill(why="PostgreSQL")) from error
