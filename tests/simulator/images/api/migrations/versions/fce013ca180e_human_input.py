"""Human input, head of 1.13.0."""
import sqlalchemy as sa
from alembic import op

revision = "fce013ca180e"
down_revision = "788d3099ae3a"


def upgrade():
    op.create_table("human_input_forms", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True))
