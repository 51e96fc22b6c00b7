"""The audit log's tree: what waits for a leaf, tiles, heads, checkpoints and public keys."""

import hashlib
import json
from pathlib import Path
from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 10_000


def upgrade() -> None:
    script = Path(__file__).with_name("0003_audit_tree.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
    connection.run_async(_let_all_wait)


async def _let_all_wait(driver: Any) -> None:
    """Events written before there was a tree wait for their leaves like new ones."""
    last = None
    while rows := await driver.fetch(
        "select organisation_id, id, body::text as body from audit_events"
        " where $1::uuid is null or id > $1 order by id limit $2",
        last,
        _BATCH,
    ):
        waiting = [(row["organisation_id"], row["id"], _leaf(row["body"])) for row in rows]
        await driver.copy_records_to_table("audit_pending", records=waiting)
        last = rows[-1]["id"]


def _leaf(body: str) -> bytes:
    """As it was when this was written (audit/event.py, audit/hashing.py)."""
    canonical = json.dumps(
        json.loads(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(b"\x00" + canonical.encode()).digest()
