"""the ledger of time

Revision: 3f9a6c1e7b24
Revises: 5d0c4b8a9e17
Created: 2026-11-23 19:40:12+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '3f9a6c1e7b24'
down_revision = '5d0c4b8a9e17'
branch_labels = None
depends_on = None

BIG = sa.BigInteger
UUID = postgresql.UUID(as_uuid=True)
JSONB = postgresql.JSONB
SCOPES = "scope IN ('site', 'building', 'room', 'list', 'candidate')"


def _id() -> sa.Column:
    return sa.Column('id', BIG(), sa.Identity(always=False), nullable=False)


def _made_at() -> sa.Column:
    return sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False)


def _text(name: str, *, default: str | None = '') -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _json(name: str, empty: str) -> sa.Column:
    return sa.Column(name, JSONB(), server_default=sa.text(f"'{empty}'::jsonb"), nullable=False)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=op.f(f'fk_{table}_{column}'))


def _members(table: str, *columns: sa.Column) -> None:
    one = f'{table}_id'
    name = f'{table}_attempt'
    op.create_table(
        name,
        sa.Column(one, BIG(), nullable=False),
        sa.Column('attempt_id', UUID, nullable=False),
        *columns,
        _ref(name, one, table),
        _ref(name, 'attempt_id', 'attempt'),
        sa.PrimaryKeyConstraint(one, 'attempt_id', name=op.f(f'pk_{name}')),
    )


def upgrade() -> None:
    op.add_column('attempt', sa.Column('postponed_ms', BIG(), server_default='0', nullable=False))
    op.add_column('attempt', sa.Column('left_ms', BIG(), nullable=True))
    op.add_column('attempt', sa.Column('reopened_seq', BIG(), server_default='0', nullable=False))
    op.add_column('attempt', _json('receipts', '[]'))
    op.drop_constraint(op.f('ck_attempt_end_reason'), 'attempt', type_='check')
    op.create_check_constraint(
        op.f('ck_attempt_end_reason'), 'attempt', "end_reason IN ('hand_in', 'time_out', 'forced', 'deferred')"
    )
    op.create_check_constraint(
        op.f('ck_attempt_paused'), 'attempt', 'left_ms IS NULL OR end_ms IS NULL OR end_ms = 4000000000000000'
    )

    # Asked for once a second by every process.
    op.create_index(
        'ix_attempt_postponed', 'attempt', ['id'], postgresql_where=sa.text('postponed_ms <> 0')
    )

    op.create_table(
        'decision',
        _id(),
        sa.Column('exam_id', BIG(), nullable=False),
        sa.Column('session_id', BIG(), nullable=False),
        _text('kind', default=None),
        _text('number'),
        _text('text'),
        sa.Column('limit_ms', BIG(), nullable=True),
        sa.Column('proposed_by', BIG(), nullable=False),
        sa.Column('proposed_ms', BIG(), nullable=False),
        sa.Column('approved_by', BIG(), nullable=True),
        sa.Column('approved_ms', BIG(), nullable=True),
        _text('state', default='proposed'),
        _json('detail', '{}'),
        _made_at(),
        _ref('decision', 'exam_id', 'exam'),
        _ref('decision', 'session_id', 'session'),
        _ref('decision', 'proposed_by', 'staff'),
        _ref('decision', 'approved_by', 'staff'),
        sa.CheckConstraint("kind IN ('lift-cap', 'swap', 'move', 'extend', 'defer')", name=op.f('ck_decision_kind')),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'withdrawn')", name=op.f('ck_decision_state')),
        sa.CheckConstraint("(kind = 'lift-cap') = (limit_ms IS NOT NULL)", name=op.f('ck_decision_limit')),
        sa.CheckConstraint(
            'approved_by <> proposed_by AND (approved_by IS NULL) = (approved_ms IS NULL)'
            " AND (kind <> 'lift-cap' OR state <> 'approved' OR approved_by IS NOT NULL)",
            name=op.f('ck_decision_approved'),
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_decision')),
    )
    op.create_index(op.f('ix_decision_session_id'), 'decision', ['session_id'])
    _members('decision')
    op.create_index(op.f('ix_decision_attempt_attempt_id'), 'decision_attempt', ['attempt_id'])

    op.add_column('adjustment', _text('scope', default='candidate'))
    op.add_column('adjustment', _json('scope_names', '[]'))
    op.add_column('adjustment', sa.Column('refers_id', BIG(), nullable=True))
    op.add_column('adjustment', _text('incident'))
    op.add_column('adjustment', sa.Column('decision_id', BIG(), nullable=True))
    op.create_foreign_key(op.f('fk_adjustment_refers_id'), 'adjustment', 'adjustment', ['refers_id'], ['id'])
    op.create_foreign_key(op.f('fk_adjustment_decision_id'), 'adjustment', 'decision', ['decision_id'], ['id'])
    op.create_index(op.f('ix_adjustment_session_id'), 'adjustment', ['session_id'])
    op.create_index(
        'uq_adjustment_scope_source',
        'adjustment',
        ['session_id', 'source'],
        unique=True,
        postgresql_where=sa.text('attempt_id IS NULL'),
    )
    op.drop_constraint(op.f('ck_adjustment_kind'), 'adjustment', type_='check')
    op.drop_constraint(op.f('ck_adjustment_shape'), 'adjustment', type_='check')
    op.create_check_constraint(
        op.f('ck_adjustment_kind'),
        'adjustment',
        "kind IN ('postpone', 'pause', 'resume', 'extend', 'credit', 'end', 'reopen', 'undo')",
    )
    op.create_check_constraint(op.f('ck_adjustment_scope'), 'adjustment', SCOPES)
    op.create_check_constraint(
        op.f('ck_adjustment_shape'),
        'adjustment',
        "(kind IN ('postpone', 'extend')) = (amount_ms IS NOT NULL) AND coalesce(amount_ms > 0, true)"
        " AND (kind IN ('credit', 'pause')) = (from_ms IS NOT NULL)"
        " AND (kind IN ('credit', 'resume')) = (to_ms IS NOT NULL)"
        " AND (kind <> 'credit' OR to_ms >= from_ms)"
        " AND (kind IN ('resume', 'undo')) = (refers_id IS NOT NULL)",
    )
    _members('adjustment')
    op.create_index(op.f('ix_adjustment_attempt_attempt_id'), 'adjustment_attempt', ['attempt_id'])
    op.execute(
        'INSERT INTO adjustment_attempt (adjustment_id, attempt_id)'
        ' SELECT id, attempt_id FROM adjustment WHERE attempt_id IS NOT NULL'
    )
    op.execute(
        'CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON adjustment_attempt'
        ' FOR EACH ROW EXECUTE FUNCTION refuse_change()'
    )
    # An older release beside this one writes no members.
    op.execute(
        """
        CREATE FUNCTION single_member() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO adjustment_attempt (adjustment_id, attempt_id) VALUES (NEW.id, NEW.attempt_id);
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        'CREATE TRIGGER single_member AFTER INSERT ON adjustment FOR EACH ROW WHEN (NEW.attempt_id IS NOT NULL)'
        ' EXECUTE FUNCTION single_member()'
    )

    op.create_table(
        'proposal',
        _id(),
        sa.Column('session_id', BIG(), nullable=False),
        _text('kind', default=None),
        _text('source', default=None),
        _text('scope', default=None),
        _json('scope_names', '[]'),
        sa.Column('from_ms', BIG(), nullable=True),
        sa.Column('to_ms', BIG(), nullable=True),
        _json('evidence', '{}'),
        _text('state', default='open'),
        sa.Column('adjustment_id', BIG(), nullable=True),
        sa.Column('made_ms', BIG(), nullable=False),
        _made_at(),
        sa.Column('proposed_by', BIG(), nullable=True),
        sa.Column('decided_by', BIG(), nullable=True),
        sa.Column('decided_ms', BIG(), nullable=True),
        _text('note'),
        _ref('proposal', 'session_id', 'session'),
        _ref('proposal', 'adjustment_id', 'adjustment'),
        _ref('proposal', 'proposed_by', 'staff'),
        _ref('proposal', 'decided_by', 'staff'),
        sa.CheckConstraint(
            "kind IN ('room-loss', 'building-loss', 'site-loss', 'relog-surplus', 'outage-credit', 'asked', 'follows', 'shorten')",
            name=op.f('ck_proposal_kind'),
        ),
        sa.CheckConstraint(SCOPES, name=op.f('ck_proposal_scope')),
        sa.CheckConstraint("state IN ('open', 'approved', 'changed', 'dismissed')", name=op.f('ck_proposal_state')),
        sa.CheckConstraint('(decided_by IS NULL) = (decided_ms IS NULL)', name=op.f('ck_proposal_decided')),
        sa.CheckConstraint('to_ms >= from_ms', name=op.f('ck_proposal_interval')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_proposal')),
        sa.UniqueConstraint('session_id', 'kind', 'source', name=op.f('uq_proposal_session_id_kind_source')),
    )
    _members('proposal')
    op.create_index(op.f('ix_proposal_attempt_attempt_id'), 'proposal_attempt', ['attempt_id'])

    op.create_table(
        'notice',
        _id(),
        sa.Column('session_id', BIG(), nullable=False),
        _text('kind', default=None),
        sa.Column('adjustment_id', BIG(), nullable=True),
        _text('zh', default=None),
        _text('en', default=None),
        sa.Column('made_ms', BIG(), nullable=False),
        _made_at(),
        _ref('notice', 'session_id', 'session'),
        _ref('notice', 'adjustment_id', 'adjustment'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    )
    op.create_index(op.f('ix_notice_session_id'), 'notice', ['session_id'])
    _members('notice', sa.Column('shown_ms', BIG(), nullable=True))
    # What a page has not shown yet is looked for at every change of its clock, and is little beside what was.
    op.create_index(
        'ix_notice_attempt_unshown', 'notice_attempt', ['attempt_id'], postgresql_where=sa.text('shown_ms IS NULL')
    )


def downgrade() -> None:
    # The ledger of a release that knows only credits and extensions.
    op.drop_table('notice_attempt')
    op.drop_table('notice')
    op.drop_table('proposal_attempt')
    op.drop_table('proposal')
    op.execute('DROP FUNCTION single_member() CASCADE')
    op.drop_table('adjustment_attempt')
    op.drop_constraint(op.f('ck_adjustment_shape'), 'adjustment', type_='check')
    op.drop_constraint(op.f('ck_adjustment_scope'), 'adjustment', type_='check')
    op.drop_constraint(op.f('ck_adjustment_kind'), 'adjustment', type_='check')
    op.create_check_constraint(op.f('ck_adjustment_kind'), 'adjustment', "kind IN ('credit', 'extend')")
    op.create_check_constraint(
        op.f('ck_adjustment_shape'),
        'adjustment',
        "(kind = 'credit') = (from_ms IS NOT NULL AND to_ms >= from_ms) AND (kind = 'extend') = (amount_ms IS NOT NULL)",
    )
    op.drop_index('uq_adjustment_scope_source', table_name='adjustment')
    op.drop_index(op.f('ix_adjustment_session_id'), table_name='adjustment')
    for column in ('decision_id', 'incident', 'refers_id', 'scope_names', 'scope'):
        op.drop_column('adjustment', column)
    op.drop_table('decision_attempt')
    op.drop_table('decision')
    op.drop_constraint(op.f('ck_attempt_paused'), 'attempt', type_='check')
    op.drop_constraint(op.f('ck_attempt_end_reason'), 'attempt', type_='check')
    op.create_check_constraint(
        op.f('ck_attempt_end_reason'), 'attempt', "end_reason IN ('hand_in', 'time_out', 'forced')"
    )
    op.drop_column('attempt', 'receipts')
    op.drop_column('attempt', 'reopened_seq')
    op.drop_column('attempt', 'left_ms')
    op.drop_column('attempt', 'postponed_ms')
