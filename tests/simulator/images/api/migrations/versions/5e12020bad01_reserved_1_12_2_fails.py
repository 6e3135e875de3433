"""Reserved 1.12.2: fails, and nothing has moved."""
import sqlalchemy as sa
from alembic import op

revision = "5e12020bad01"
down_revision = "788d3099ae3a"


def upgrade():
    op.create_table("never_seen", sa.Column("id", sa.BigInteger, primary_key=True))
    op.execute("ALTER TABLE messages ADD COLUMN author uuid NOT NULL")  # there are rows: PostgreSQL refuses
