"""Who decides in a seat while nobody acts for them; when somebody was last reminded."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_name("0016_time.sql").read_text()
    connection = op.get_bind().connection.dbapi_connection
    # By the driver's own call: a script is many statements, and no `:name` in it a parameter.
    connection.run_async(lambda driver: driver.execute(script))
