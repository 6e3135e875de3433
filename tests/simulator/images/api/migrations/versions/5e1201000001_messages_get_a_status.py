"""Messages get a status."""
import sqlalchemy as sa
from alembic import op

revision = "5e1201000001"
down_revision = "905527cc8fd3"


def upgrade():
    op.add_column("messages", sa.Column("status", sa.String(32), server_default="sent", nullable=False))
