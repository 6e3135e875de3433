"""An index made outside the transaction, head of 1.13.1 to 1.13.3."""
from alembic import op

revision = "6b5f9f8b1a2c"
down_revision = "fce013ca180e"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("messages_app_idx", "messages", ["app_id"], postgresql_concurrently=True)
