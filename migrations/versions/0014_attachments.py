"""Files that people send: where they are to be had, and what was kept of them."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_name("0014_attachments.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
