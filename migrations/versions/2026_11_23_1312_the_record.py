"""the record

Revision: 787217ac787d
Revises: 
Created: 2026-11-23 13:12:18.743607+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '787217ac787d'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_head',
    sa.Column('id', sa.SmallInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('hash', postgresql.BYTEA(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('exam',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('timezone', sa.Text(), server_default='Asia/Shanghai', nullable=False),
    sa.Column('is_demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exam')),
    sa.UniqueConstraint('code', name=op.f('uq_exam_code'))
    )
    op.create_table('lineage',
    sa.Column('n', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('n', name=op.f('pk_lineage')),
    sa.UniqueConstraint('uid', name=op.f('uq_lineage_uid'))
    )
    op.create_table('media',
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=False),
    sa.Column('body', postgresql.BYTEA(), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_media'))
    )
    op.create_table('response_history',
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.Column('adopt_n', sa.Integer(), nullable=False),
    sa.Column('value_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('stamp_ms', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('link', sa.BigInteger(), nullable=False),
    sa.Column('late', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('session_id', 'attempt_id', 'item_id', 'epoch', 'rev', 'adopt_n', 'value_hash', name=op.f('pk_response_history')),
    postgresql_partition_by='LIST (session_id)'
    )
    op.create_table('staff',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('username', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('disabled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("role IN ('invigilator', 'chief', 'office', 'admin', 'auditor', 'inspector')", name=op.f('ck_staff_role')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('username', name=op.f('uq_staff_username'))
    )
    op.create_table('audit_entry',
    sa.Column('n', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('service_ms', sa.BigInteger(), nullable=True),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('hash', postgresql.BYTEA(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_audit_entry_staff_id')),
    sa.PrimaryKeyConstraint('n', name=op.f('pk_audit_entry'))
    )
    op.create_table('buffer_cursor',
    sa.Column('lineage_n', sa.BigInteger(), nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.Column('moved_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['lineage_n'], ['lineage.n'], name=op.f('fk_buffer_cursor_lineage_n')),
    sa.PrimaryKeyConstraint('lineage_n', name=op.f('pk_buffer_cursor'))
    )
    op.create_table('building',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_building_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_building')),
    sa.UniqueConstraint('exam_id', 'name', name=op.f('uq_building_exam_id_name'))
    )
    op.create_table('candidate',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('ticket', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('gender', sa.Text(), server_default='', nullable=False),
    sa.Column('id_kind', sa.Text(), server_default='resident', nullable=False),
    sa.Column('id_number', sa.Text(), nullable=False),
    sa.Column('id_tail_hmac', postgresql.BYTEA(), nullable=False),
    sa.Column('specialty', sa.Text(), server_default='', nullable=False),
    sa.Column('employer', sa.Text(), server_default='', nullable=False),
    sa.Column('extra_time_ms', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_candidate_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidate')),
    sa.UniqueConstraint('exam_id', 'id_kind', 'id_number', name=op.f('uq_candidate_exam_id_id_kind_id_number')),
    sa.UniqueConstraint('exam_id', 'ticket', name=op.f('uq_candidate_exam_id_ticket'))
    )
    op.create_index('ix_candidate_ticket', 'candidate', ['ticket'], unique=False)
    op.create_table('item',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_item_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item')),
    sa.UniqueConstraint('exam_id', 'number', name=op.f('uq_item_exam_id_number'))
    )
    op.create_table('login',
    sa.Column('token_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revoked_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('address', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_login_staff_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_login'))
    )
    op.create_index(op.f('ix_login_staff_id'), 'login', ['staff_id'], unique=False)
    op.create_table('service_clock',
    sa.Column('id', sa.SmallInteger(), nullable=False),
    sa.Column('lineage_n', sa.BigInteger(), nullable=False),
    sa.Column('term', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('counter_ms', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ticked_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['lineage_n'], ['lineage.n'], name=op.f('fk_service_clock_lineage_n')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_clock')),
    postgresql_with={'fillfactor': '10'}
    )
    op.create_table('session',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('planned_start', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('duration_ms', sa.BigInteger(), nullable=False),
    sa.Column('start_ms', sa.BigInteger(), nullable=True),
    sa.Column('held', sa.Text(), nullable=True),
    sa.Column('sign_in_opens_ms', sa.BigInteger(), server_default='1800000', nullable=False),
    sa.Column('last_admission_ms', sa.BigInteger(), server_default='900000', nullable=False),
    sa.Column('earliest_hand_in_ms', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('grace_ms', sa.BigInteger(), server_default='180000', nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_session_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_session')),
    sa.UniqueConstraint('exam_id', 'number', name=op.f('uq_session_exam_id_number'))
    )
    op.create_table('staff_request',
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('endpoint', sa.Text(), nullable=False),
    sa.Column('body_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('reply', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_request_staff_id')),
    sa.PrimaryKeyConstraint('staff_id', 'idempotency_key', name=op.f('pk_staff_request'))
    )
    op.create_table('term',
    sa.Column('n', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('lineage_n', sa.BigInteger(), nullable=False),
    sa.Column('start_ms', sa.BigInteger(), nullable=False),
    sa.Column('gap_ms', sa.BigInteger(), nullable=False),
    sa.Column('leader', sa.Text(), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['lineage_n'], ['lineage.n'], name=op.f('fk_term_lineage_n')),
    sa.PrimaryKeyConstraint('n', name=op.f('pk_term'))
    )
    op.create_table('blueprint',
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('spec', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_blueprint_session_id')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_blueprint'))
    )
    op.create_table('draw',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('seed', sa.Text(), nullable=False),
    sa.Column('spec', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('papers', sa.Integer(), nullable=False),
    sa.Column('digest', postgresql.BYTEA(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_draw_session_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw'))
    )
    op.create_index(op.f('ix_draw_session_id'), 'draw', ['session_id'], unique=False)
    op.create_table('item_version',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('stem', sa.Text(), nullable=False),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('key', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('points_milli', sa.BigInteger(), nullable=False),
    sa.Column('media', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('content_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("type IN ('single', 'multiple', 'true_false', 'blank', 'text')", name=op.f('ck_item_version_type')),
    sa.ForeignKeyConstraint(['item_id'], ['item.id'], name=op.f('fk_item_version_item_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_version')),
    sa.UniqueConstraint('item_id', 'version', name=op.f('uq_item_version_item_id_version'))
    )
    op.create_table('room',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('building_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), server_default='', nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('seat_count', sa.Integer(), nullable=False),
    sa.Column('spare_count', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['building_id'], ['building.id'], name=op.f('fk_room_building_id')),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_room_exam_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_room')),
    sa.UniqueConstraint('exam_id', 'name', name=op.f('uq_room_exam_id_name'))
    )
    op.create_table('seat',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('is_spare', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('out_of_order', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_seat_room_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_seat')),
    sa.UniqueConstraint('room_id', 'label', name=op.f('uq_seat_room_id_label')),
    sa.UniqueConstraint('room_id', 'ordinal', name=op.f('uq_seat_room_id_ordinal'))
    )
    op.create_table('staff_room',
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_staff_room_room_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_room_staff_id')),
    sa.PrimaryKeyConstraint('staff_id', 'room_id', name=op.f('pk_staff_room'))
    )
    op.create_table('allocation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('seat_id', sa.BigInteger(), nullable=False),
    sa.Column('planned_seat_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_allocation_candidate_id')),
    sa.ForeignKeyConstraint(['planned_seat_id'], ['seat.id'], name=op.f('fk_allocation_planned_seat_id')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_allocation_seat_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_allocation_session_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_allocation')),
    sa.UniqueConstraint('session_id', 'candidate_id', name=op.f('uq_allocation_session_id_candidate_id')),
    sa.UniqueConstraint('session_id', 'seat_id', name=op.f('uq_allocation_session_id_seat_id'))
    )
    op.create_index(op.f('ix_allocation_candidate_id'), 'allocation', ['candidate_id'], unique=False)
    op.create_index(op.f('ix_allocation_seat_id'), 'allocation', ['seat_id'], unique=False)
    op.create_table('attempt',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('epoch', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('grants', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('signed_in_ms', sa.BigInteger(), nullable=True),
    sa.Column('allotted_ms', sa.BigInteger(), nullable=False),
    sa.Column('end_ms', sa.BigInteger(), nullable=True),
    sa.Column('clock_rev', sa.Integer(), server_default='0', nullable=False),
    sa.Column('ended_ms', sa.BigInteger(), nullable=True),
    sa.Column('end_reason', sa.Text(), nullable=True),
    sa.Column('final_ms', sa.BigInteger(), nullable=True),
    sa.Column('receipt', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('acked', postgresql.INT8MULTIRANGE(), server_default=sa.text("'{}'::int8multirange"), nullable=False),
    sa.Column('count', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('chain', postgresql.BYTEA(), server_default=sa.text("'\\x'::bytea"), nullable=False),
    sa.Column('chain_links', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('position', sa.Integer(), server_default='1', nullable=False),
    sa.Column('marked', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('register_epoch', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('register_seq', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('elapsed_ms', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('contact_ms', sa.BigInteger(), nullable=True),
    sa.Column('contact_term', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('gap_from_ms', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(state = 'final') = (final_ms IS NOT NULL)", name=op.f('ck_attempt_final')),
    sa.CheckConstraint("(state = 'open') = (ended_ms IS NULL)", name=op.f('ck_attempt_ended')),
    sa.CheckConstraint("end_reason IN ('hand_in', 'time_out', 'forced')", name=op.f('ck_attempt_end_reason')),
    sa.CheckConstraint("state IN ('open', 'ended', 'final')", name=op.f('ck_attempt_state')),
    sa.ForeignKeyConstraint(['session_id', 'candidate_id'], ['allocation.session_id', 'allocation.candidate_id'], name=op.f('fk_attempt_session_id_candidate_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt')),
    sa.UniqueConstraint('session_id', 'candidate_id', name=op.f('uq_attempt_session_id_candidate_id')),
    postgresql_with={'fillfactor': '60'}
    )
    op.create_index('ix_attempt_due', 'attempt', ['end_ms'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_attempt_grace', 'attempt', ['ended_ms'], unique=False, postgresql_where=sa.text("state = 'ended'"))
    op.create_table('adjustment',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=True),
    sa.Column('attempt_id', sa.UUID(), nullable=True),
    sa.Column('from_ms', sa.BigInteger(), nullable=True),
    sa.Column('to_ms', sa.BigInteger(), nullable=True),
    sa.Column('amount_ms', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('supersedes_id', sa.BigInteger(), nullable=True),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(kind = 'credit') = (from_ms IS NOT NULL AND to_ms >= from_ms) AND (kind = 'extend') = (amount_ms IS NOT NULL)", name=op.f('ck_adjustment_shape')),
    sa.CheckConstraint("kind IN ('credit', 'extend')", name=op.f('ck_adjustment_kind')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_adjustment_attempt_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_adjustment_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_adjustment_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_adjustment_staff_id')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['adjustment.id'], name=op.f('fk_adjustment_supersedes_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_adjustment'))
    )
    op.create_index(op.f('ix_adjustment_attempt_id'), 'adjustment', ['attempt_id'], unique=False)
    op.create_index('uq_adjustment_source', 'adjustment', ['attempt_id', 'source'], unique=True)
    op.create_table('lease',
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('device_id', sa.Text(), nullable=False),
    sa.Column('secret_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('seat_id', sa.BigInteger(), nullable=False),
    sa.Column('granted_ms', sa.BigInteger(), nullable=False),
    sa.Column('revoked_ms', sa.BigInteger(), nullable=True),
    sa.Column('address', sa.Text(), server_default='', nullable=False),
    sa.Column('granted_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_lease_attempt_id')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_lease_seat_id')),
    sa.PrimaryKeyConstraint('attempt_id', 'epoch', name=op.f('pk_lease'))
    )
    op.create_index('uq_lease_live', 'lease', ['attempt_id'], unique=True, postgresql_where=sa.text('revoked_ms IS NULL'))
    op.create_table('paper',
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('draw_id', sa.BigInteger(), nullable=False),
    sa.Column('item_count', sa.Integer(), nullable=False),
    sa.Column('body', postgresql.BYTEA(), nullable=False),
    sa.Column('etag', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_paper_attempt_id')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_paper_draw_id')),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_paper'))
    )
    op.create_table('paper_item',
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('item_version_id', sa.BigInteger(), nullable=False),
    sa.Column('option_order', sa.Text(), server_default='', nullable=False),
    sa.Column('points_milli', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_paper_item_attempt_id')),
    sa.ForeignKeyConstraint(['item_version_id'], ['item_version.id'], name=op.f('fk_paper_item_item_version_id')),
    sa.PrimaryKeyConstraint('attempt_id', 'position', name=op.f('pk_paper_item')),
    sa.UniqueConstraint('attempt_id', 'item_version_id', name=op.f('uq_paper_item_attempt_id_item_version_id'))
    )
    op.create_index('ix_paper_item_item_version_id', 'paper_item', ['item_version_id'], unique=False)
    op.create_table('relog',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('from_seat_id', sa.BigInteger(), nullable=False),
    sa.Column('to_seat_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('opened_ms', sa.BigInteger(), nullable=False),
    sa.Column('closed_ms', sa.BigInteger(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("state IN ('open', 'used', 'withdrawn')", name=op.f('ck_relog_state')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_relog_attempt_id')),
    sa.ForeignKeyConstraint(['from_seat_id'], ['seat.id'], name=op.f('fk_relog_from_seat_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_relog_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_relog_staff_id')),
    sa.ForeignKeyConstraint(['to_seat_id'], ['seat.id'], name=op.f('fk_relog_to_seat_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_relog'))
    )
    op.create_index('uq_relog_attempt', 'relog', ['attempt_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index('uq_relog_seat', 'relog', ['session_id', 'to_seat_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_table('response',
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.Column('adopt_n', sa.Integer(), server_default='0', nullable=False),
    sa.Column('value_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('stamp_ms', sa.BigInteger(), nullable=False),
    sa.Column('late', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_response_attempt_id')),
    sa.PrimaryKeyConstraint('attempt_id', 'item_id', name=op.f('pk_response')),
    postgresql_with={'fillfactor': '70'}
    )
    op.create_table('stranded',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('item_id', sa.BigInteger(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.Column('value_hash', postgresql.BYTEA(), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('stamp_ms', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='kept', nullable=False),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("reason IN ('old_epoch', 'late', 'ended', 'final')", name=op.f('ck_stranded_reason')),
    sa.CheckConstraint("state IN ('kept', 'adopted', 'dismissed')", name=op.f('ck_stranded_state')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_stranded_attempt_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stranded')),
    sa.UniqueConstraint('attempt_id', 'item_id', 'epoch', 'rev', 'value_hash', name=op.f('uq_stranded_attempt_id_item_id_epoch_rev_value_hash'))
    )

    # What is written once is never edited: the rule is the database's, not only the program's.
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END
        $$
        """
    )
    for table in ("item_version", "response_history", "audit_entry", "adjustment", "term"):
        op.execute(
            f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    # Each session has a partition of its own; this one makes sure that no answer can ever fail for want of one.
    op.execute("CREATE TABLE response_history_default PARTITION OF response_history DEFAULT")
    op.execute("INSERT INTO audit_head (id, n, hash) VALUES (1, 0, '')")
    op.execute("INSERT INTO lineage (n, uid, reason) VALUES (1, gen_random_uuid()::text, 'installed')")
    op.execute("INSERT INTO service_clock (id, lineage_n) VALUES (1, 1)")


def downgrade() -> None:
    op.drop_table('stranded')
    op.drop_table('response')
    op.drop_index('uq_relog_seat', table_name='relog', postgresql_where=sa.text("state = 'open'"))
    op.drop_index('uq_relog_attempt', table_name='relog', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('relog')
    op.drop_index('ix_paper_item_item_version_id', table_name='paper_item')
    op.drop_table('paper_item')
    op.drop_table('paper')
    op.drop_index('uq_lease_live', table_name='lease', postgresql_where=sa.text('revoked_ms IS NULL'))
    op.drop_table('lease')
    op.drop_index('uq_adjustment_source', table_name='adjustment')
    op.drop_index(op.f('ix_adjustment_attempt_id'), table_name='adjustment')
    op.drop_table('adjustment')
    op.drop_index('ix_attempt_grace', table_name='attempt', postgresql_where=sa.text("state = 'ended'"))
    op.drop_index('ix_attempt_due', table_name='attempt', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('attempt')
    op.drop_index(op.f('ix_allocation_seat_id'), table_name='allocation')
    op.drop_index(op.f('ix_allocation_candidate_id'), table_name='allocation')
    op.drop_table('allocation')
    op.drop_table('staff_room')
    op.drop_table('seat')
    op.drop_table('room')
    op.drop_table('item_version')
    op.drop_index(op.f('ix_draw_session_id'), table_name='draw')
    op.drop_table('draw')
    op.drop_table('blueprint')
    op.drop_table('term')
    op.drop_table('staff_request')
    op.drop_table('session')
    op.drop_table('service_clock')
    op.drop_index(op.f('ix_login_staff_id'), table_name='login')
    op.drop_table('login')
    op.drop_table('item')
    op.drop_index('ix_candidate_ticket', table_name='candidate')
    op.drop_table('candidate')
    op.drop_table('building')
    op.drop_table('buffer_cursor')
    op.drop_table('audit_entry')
    op.drop_table('staff')
    op.drop_table('response_history')
    op.drop_table('media')
    op.drop_table('lineage')
    op.drop_table('exam')
    op.drop_table('audit_head')
    op.execute("DROP FUNCTION refuse_change() CASCADE")
