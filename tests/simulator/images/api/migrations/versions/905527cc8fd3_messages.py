"""Messages, head of 1.11.3 and 1.11.4."""
import sqlalchemy as sa
from alembic import op

revision = "905527cc8fd3"
down_revision = "09cfdda155d1"


def upgrade():
    op.create_table("messages",
                    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
                    sa.Column("app_id", sa.Uuid, sa.ForeignKey("apps.id")),
                    sa.Column("text", sa.Text, nullable=False))
    op.execute("INSERT INTO messages (app_id, text) SELECT id, 'hello from ' || name FROM apps")
