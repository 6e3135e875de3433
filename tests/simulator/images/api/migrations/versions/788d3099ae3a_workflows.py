"""Workflows, head of 1.12.0 and 1.12.1."""
import sqlalchemy as sa
from alembic import op

revision = "788d3099ae3a"
down_revision = "5e1201000002"


def upgrade():
    op.create_table("workflows",
                    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
                    sa.Column("app_id", sa.Uuid, sa.ForeignKey("apps.id")))
