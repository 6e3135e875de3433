"""Triggers, head of 1.10.1."""
import sqlalchemy as sa
from alembic import op

revision = "09cfdda155d1"
down_revision = "ae662b25d9bc"


def upgrade():
    op.create_table("app_triggers",
                    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
                    sa.Column("app_id", sa.Uuid, sa.ForeignKey("apps.id")))
