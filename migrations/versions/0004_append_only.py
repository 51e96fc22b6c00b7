"""Append only, to the last table: documents are kept by a function, streams do nothing but grow."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_name("0004_append_only.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
