"""The frame: organisations, people, tasks, approvals, messages, documents and the audit log."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    folder = Path(__file__).parent
    connection = op.get_bind().connection.dbapi_connection
    for name in ("0001_tables.sql", "0001_audit.sql", "0001_rights.sql"):
        script = (folder / name).read_text()
        # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
        connection.run_async(lambda driver, script=script: driver.execute(script))
