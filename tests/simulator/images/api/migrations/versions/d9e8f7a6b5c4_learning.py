"""Learning, head of 1.15.0."""
import sqlalchemy as sa
from alembic import op

revision = "d9e8f7a6b5c4"
down_revision = "a4f2d8c9b731"


def upgrade():
    op.create_table("learn_apps", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))
