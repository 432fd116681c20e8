"""where a chain broke

Revision: 8d41f0c2a9b7
Revises: b3f7e37eec1e
Created: 2026-11-23 16:20:07.402518+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op


revision = '8d41f0c2a9b7'
down_revision = 'b3f7e37eec1e'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null in rows that were written before: their place in the chain is told by their link alone.
    op.add_column('response_history', sa.Column('chain_before', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column('response_history', 'chain_before')
