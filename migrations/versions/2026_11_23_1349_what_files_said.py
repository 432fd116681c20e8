"""what files said

Revision: 2c5e8f0b7d41
Revises: 787217ac787d
Created: 2026-11-23 13:49:36+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '2c5e8f0b7d41'
down_revision = '787217ac787d'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('session', sa.Column('imported_start', postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column('item', sa.Column('retired', sa.Boolean(), server_default=sa.text('false'), nullable=False))


def downgrade() -> None:
    op.drop_column('item', 'retired')
    op.drop_column('session', 'imported_start')
