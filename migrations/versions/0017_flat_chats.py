"""Conversations without threads, edits and free calls: arrivals, reply tokens, quotas, links."""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_name("0017_flat_chats.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
