"""How far the run has come that compares the rows of tasks with their events."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_name("0009_completeness.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
