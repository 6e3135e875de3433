"""Comment replies, head of 1.14.1 and 1.14.2."""
import sqlalchemy as sa
from alembic import op

revision = "a4f2d8c9b731"
down_revision = "227822d22895"


def upgrade():
    op.create_table("workflow_comment_replies", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))
