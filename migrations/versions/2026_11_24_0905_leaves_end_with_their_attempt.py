"""leaves end with their attempt: nobody brings them back

Revision: 5e0b7a92c4d1
Revises: 8c41d7b95e02
Created: 2026-11-24 09:05:12+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

from alembic import op

revision = '5e0b7a92c4d1'
down_revision = '8c41d7b95e02'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f('ck_leave_returned'), 'leave', type_='check')
    op.create_check_constraint(op.f('ck_leave_returned'), 'leave', 'returned_by IS NULL OR returned_ms IS NOT NULL')
    # Those that had been left open by an end.
    op.execute(
        'UPDATE leave l SET returned_ms = greatest(l.left_ms, a.ended_ms) FROM attempt a'
        " WHERE a.id = l.attempt_id AND a.state <> 'open' AND l.returned_ms IS NULL"
    )


def downgrade() -> None:
    op.execute('UPDATE leave SET returned_by = left_by WHERE returned_by IS NULL AND returned_ms IS NOT NULL')
    op.drop_constraint(op.f('ck_leave_returned'), 'leave', type_='check')
    op.create_check_constraint(
        op.f('ck_leave_returned'), 'leave', '(returned_by IS NULL) = (returned_ms IS NULL)'
    )
