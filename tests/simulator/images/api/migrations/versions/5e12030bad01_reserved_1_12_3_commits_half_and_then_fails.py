"""Reserved 1.12.3: commits half and then fails."""
import sqlalchemy as sa
from alembic import op

revision = "5e12030bad01"
down_revision = "788d3099ae3a"


def upgrade():
    # Entering the block commits everything before it; a second run meets objects that exist.
    op.create_table("half_done", sa.Column("id", sa.BigInteger, primary_key=True))
    with op.get_context().autocommit_block():
        op.create_index("messages_half_idx", "messages", ["text"], postgresql_concurrently=True)
    op.execute("ALTER TABLE messages ADD COLUMN author uuid NOT NULL")
