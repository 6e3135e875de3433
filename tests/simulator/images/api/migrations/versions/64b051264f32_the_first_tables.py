"""The first tables."""
import sqlalchemy as sa
from alembic import op

revision = "64b051264f32"
down_revision = None


def upgrade():
    op.create_table("dify_setups",
                    sa.Column("version", sa.String(255), primary_key=True),
                    sa.Column("setup_at", sa.DateTime, server_default=sa.func.now(), nullable=False))
    op.create_table("tenants",
                    sa.Column("id", sa.Uuid, primary_key=True),
                    sa.Column("name", sa.String(255), nullable=False),
                    sa.Column("encrypt_public_key", sa.Text))
    op.create_table("simulator_ticks",
                    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
                    sa.Column("version", sa.String(255), nullable=False),
                    sa.Column("at", sa.DateTime, server_default=sa.text("clock_timestamp()"), nullable=False))
