"""Apps, head of 1.9.2."""
import sqlalchemy as sa
from alembic import op

revision = "ae662b25d9bc"
down_revision = "64b051264f32"


def upgrade():
    op.create_table("apps",
                    sa.Column("id", sa.Uuid, server_default=sa.text("gen_random_uuid()"), primary_key=True),
                    sa.Column("name", sa.String(255), nullable=False))
    op.execute("INSERT INTO apps (name) SELECT 'app ' || n FROM generate_series(1, 100) AS n")
