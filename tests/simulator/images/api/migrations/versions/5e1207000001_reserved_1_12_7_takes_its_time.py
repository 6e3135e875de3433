"""Reserved 1.12.7: takes its time."""
import os

import sqlalchemy as sa
from alembic import op

revision = "5e1207000001"
down_revision = "788d3099ae3a"


def upgrade():
    op.create_table("slowly_made", sa.Column("id", sa.BigInteger, primary_key=True))
    seconds = float(os.environ.get("SIMULATOR_MIGRATION_SECONDS") or 15)
    op.execute(f"SELECT pg_sleep({seconds})")
