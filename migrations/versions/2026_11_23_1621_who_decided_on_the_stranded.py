"""who decided on the stranded

Revision: 5d0c4b8a9e17
Revises: 8d41f0c2a9b7
Created: 2026-11-23 16:21:05+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op

revision = '5d0c4b8a9e17'
down_revision = '8d41f0c2a9b7'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('stranded', sa.Column('decided_by', sa.BigInteger(), nullable=True))
    op.add_column('stranded', sa.Column('decided_ms', sa.BigInteger(), nullable=True))
    op.add_column('stranded', sa.Column('note', sa.Text(), server_default='', nullable=False))
    op.create_foreign_key('fk_stranded_decided_by_staff', 'stranded', 'staff', ['decided_by'], ['id'])
    op.create_check_constraint(
        op.f('ck_stranded_decided'), 'stranded', "(state = 'kept') = (decided_by IS NULL) AND (state = 'kept') = (decided_ms IS NULL)"
    )
    # What waits for a decision is counted by every office page, and is little beside what was decided.
    op.create_index('ix_stranded_kept', 'stranded', ['attempt_id'], postgresql_where=sa.text("state = 'kept'"))


def downgrade() -> None:
    op.drop_index('ix_stranded_kept', table_name='stranded')
    op.drop_constraint(op.f('ck_stranded_decided'), 'stranded', type_='check')
    op.drop_constraint('fk_stranded_decided_by_staff', 'stranded', type_='foreignkey')
    op.drop_column('stranded', 'note')
    op.drop_column('stranded', 'decided_ms')
    op.drop_column('stranded', 'decided_by')
