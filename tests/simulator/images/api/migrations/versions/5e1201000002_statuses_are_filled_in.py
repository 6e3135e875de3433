"""Statuses are filled in."""
from alembic import op

revision = "5e1201000002"
down_revision = "5e1201000001"


def upgrade():
    op.execute("UPDATE messages SET status = 'seen' WHERE id % 2 = 0")
    op.create_index("messages_status_idx", "messages", ["status"])
