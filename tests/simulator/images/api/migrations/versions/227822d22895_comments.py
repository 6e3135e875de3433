"""Comments, head of 1.14.0."""
import sqlalchemy as sa
from alembic import op

revision = "227822d22895"
down_revision = "6b5f9f8b1a2c"


def upgrade():
    op.create_table("workflow_comments", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))
