"""the hall: who came, what happened, what was disputed, the evidence

Revision: 8c41d7b95e02
Revises: 3f9a6c1e7b24
Created: 2026-11-23 22:50:31+00:00

Old code must run on the new schema: add first, use next release, remove the release after.
env.py sets lock_timeout 5 s and statement_timeout 5 min around every migration.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '8c41d7b95e02'
down_revision = '3f9a6c1e7b24'
branch_labels = None
depends_on = None

IMMUTABLE = (
    'duty_change', 'evidence_file', 'incident_plan', 'incident_entry', 'discrepancy_evidence',
    'misconduct_entry', 'item_report', 'announcement',
)  # fmt: skip


def upgrade() -> None:
    # First what takes long and keeps nobody's answers waiting; last, and in a moment, what everybody waits for.
    op.create_index('ix_audit_entry_at', 'audit_entry', ['at'], unique=False)
    op.create_index('ix_audit_entry_staff_id', 'audit_entry', ['staff_id'], unique=False)
    op.create_index('ix_audit_entry_subject', 'audit_entry', ['subject'], unique=False, postgresql_using='gin', postgresql_ops={'subject': 'jsonb_path_ops'})
    op.create_index('ix_audit_entry_service_ms', 'audit_entry', ['service_ms'], unique=False)
    op.create_table('evidence_file',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('body', postgresql.BYTEA(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('size > 0', name=op.f('ck_evidence_file_size')),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_evidence_file_exam_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_evidence_file_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence_file'))
    )
    op.create_index(op.f('ix_evidence_file_exam_id'), 'evidence_file', ['exam_id'], unique=False)
    op.create_table('incident_plan',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('plan', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('title_zh', sa.Text(), nullable=False),
    sa.Column('title_en', sa.Text(), nullable=False),
    sa.Column('steps', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_incident_plan_exam_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_incident_plan_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_plan')),
    sa.UniqueConstraint('exam_id', 'plan', 'version', name=op.f('uq_incident_plan_exam_id_plan_version'))
    )
    op.create_table('admission',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('withdrawn_by', sa.BigInteger(), nullable=True),
    sa.Column('withdrawn_ms', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("kind IN ('late', 'provisional')", name=op.f('ck_admission_kind')),
    sa.CheckConstraint('(withdrawn_by IS NULL) = (withdrawn_ms IS NULL)', name=op.f('ck_admission_withdrawn')),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_admission_candidate_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_admission_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_admission_staff_id')),
    sa.ForeignKeyConstraint(['withdrawn_by'], ['staff.id'], name=op.f('fk_admission_withdrawn_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_admission'))
    )
    op.create_index('uq_admission_standing', 'admission', ['session_id', 'candidate_id', 'kind'], unique=True, postgresql_where=sa.text('withdrawn_ms IS NULL'))
    op.create_index(op.f('ix_admission_candidate_id'), 'admission', ['candidate_id'], unique=False)
    op.create_table('site_job',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='waiting', nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), server_default='', nullable=False),
    sa.Column('body', postgresql.BYTEA(), nullable=True),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('stage', sa.Text(), server_default='', nullable=False),
    sa.Column('done', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('total', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('faults', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('beat_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(state IN ('waiting', 'working', 'checked')) = (ended_at IS NULL)", name=op.f('ck_site_job_ended')),
    sa.CheckConstraint("kind IN ('roster', 'bank', 'draw')", name=op.f('ck_site_job_kind')),
    sa.CheckConstraint("state IN ('waiting', 'working', 'checked', 'done', 'faulty', 'refused', 'failed', 'lost', 'discarded')", name=op.f('ck_site_job_state')),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_site_job_exam_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_site_job_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site_job'))
    )
    op.create_index('uq_site_job_open', 'site_job', ['exam_id'], unique=True, postgresql_where=sa.text("state IN ('waiting', 'working', 'checked')"))
    op.create_index(op.f('ix_site_job_exam_id'), 'site_job', ['exam_id'], unique=False)
    op.create_table('candidate_photo',
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=False),
    sa.Column('body', postgresql.BYTEA(), nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_candidate_photo_candidate_id')),
    sa.PrimaryKeyConstraint('candidate_id', name=op.f('pk_candidate_photo'))
    )
    op.create_table('incident',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('exam_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=True),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('scope_names', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('sealed', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('from_ms', sa.BigInteger(), nullable=False),
    sa.Column('to_ms', sa.BigInteger(), nullable=True),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('signed_by', sa.BigInteger(), nullable=True),
    sa.Column('signed_ms', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(state = 'open') = (to_ms IS NULL) AND to_ms >= from_ms", name=op.f('ck_incident_closed')),
    sa.CheckConstraint("(state = 'signed') = (signed_by IS NOT NULL) AND (signed_by IS NULL) = (signed_ms IS NULL)", name=op.f('ck_incident_signed')),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name=op.f('ck_incident_scope')),
    sa.CheckConstraint("state IN ('open', 'closed', 'signed')", name=op.f('ck_incident_state')),
    sa.ForeignKeyConstraint(['exam_id'], ['exam.id'], name=op.f('fk_incident_exam_id')),
    sa.ForeignKeyConstraint(['plan_id'], ['incident_plan.id'], name=op.f('fk_incident_plan_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_incident_session_id')),
    sa.ForeignKeyConstraint(['signed_by'], ['staff.id'], name=op.f('fk_incident_signed_by')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_incident_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident')),
    sa.UniqueConstraint('exam_id', 'number', name=op.f('uq_incident_exam_id_number'))
    )
    op.create_index(op.f('ix_incident_session_id'), 'incident', ['session_id'], unique=False)
    op.create_table('discrepancy',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('identified', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_discrepancy_candidate_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_discrepancy_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_discrepancy_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_discrepancy_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_discrepancy'))
    )
    op.create_index(op.f('ix_discrepancy_candidate_id'), 'discrepancy', ['candidate_id'], unique=False)
    op.create_table('duty_change',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('joined_id', sa.BigInteger(), nullable=True),
    sa.Column('left_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('joined_id IS DISTINCT FROM left_id', name=op.f('ck_duty_change_different')),
    sa.CheckConstraint('joined_id IS NOT NULL OR left_id IS NOT NULL', name=op.f('ck_duty_change_someone')),
    sa.ForeignKeyConstraint(['joined_id'], ['staff.id'], name=op.f('fk_duty_change_joined_id')),
    sa.ForeignKeyConstraint(['left_id'], ['staff.id'], name=op.f('fk_duty_change_left_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_duty_change_room_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_duty_change_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duty_change'))
    )
    op.create_index(op.f('ix_duty_change_room_id'), 'duty_change', ['room_id'], unique=False)
    op.create_table('incident_candidate',
    sa.Column('incident_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_incident_candidate_candidate_id')),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_candidate_incident_id')),
    sa.PrimaryKeyConstraint('incident_id', 'candidate_id', name=op.f('pk_incident_candidate'))
    )
    op.create_index(op.f('ix_incident_candidate_candidate_id'), 'incident_candidate', ['candidate_id'], unique=False)
    op.create_table('incident_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('incident_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('evidence_id', sa.BigInteger(), nullable=True),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(kind = 'evidence') = (evidence_id IS NOT NULL)", name=op.f('ck_incident_entry_evidence')),
    sa.CheckConstraint("kind IN ('opened', 'step', 'step-undone', 'note', 'told', 'people', 'action', 'evidence', 'changed', 'closed', 'reopened', 'signed')", name=op.f('ck_incident_entry_kind')),
    sa.ForeignKeyConstraint(['evidence_id'], ['evidence_file.id'], name=op.f('fk_incident_entry_evidence_id')),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_entry_incident_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_incident_entry_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_entry'))
    )
    op.create_index(op.f('ix_incident_entry_evidence_id'), 'incident_entry', ['evidence_id'], unique=False)
    op.create_index(op.f('ix_incident_entry_incident_id'), 'incident_entry', ['incident_id'], unique=False)
    op.create_table('incident_room',
    sa.Column('incident_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_room_incident_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_incident_room_room_id')),
    sa.PrimaryKeyConstraint('incident_id', 'room_id', name=op.f('pk_incident_room'))
    )
    op.create_index(op.f('ix_incident_room_room_id'), 'incident_room', ['room_id'], unique=False)
    op.create_table('misconduct',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('candidate_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('seat_label', sa.Text(), nullable=False),
    sa.Column('incident_id', sa.BigInteger(), nullable=True),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('second_staff', sa.Text(), nullable=False),
    sa.Column('seen_ms', sa.BigInteger(), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.Column('signature', sa.Text(), server_default='', nullable=False),
    sa.Column('measure', sa.Text(), server_default='noted', nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("measure IN ('noted', 'marked', 'removed')", name=op.f('ck_misconduct_measure')),
    sa.CheckConstraint("signature IN ('', 'signed', 'refused')", name=op.f('ck_misconduct_signature')),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidate.id'], name=op.f('fk_misconduct_candidate_id')),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_misconduct_incident_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_misconduct_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_misconduct_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_misconduct_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_misconduct'))
    )
    op.create_index(op.f('ix_misconduct_candidate_id'), 'misconduct', ['candidate_id'], unique=False)
    op.create_index(op.f('ix_misconduct_room_id'), 'misconduct', ['room_id'], unique=False)
    op.create_table('room_record',
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('absent_by', sa.BigInteger(), nullable=True),
    sa.Column('absent_ms', sa.BigInteger(), nullable=True),
    sa.Column('signed_by', sa.BigInteger(), nullable=True),
    sa.Column('signed_ms', sa.BigInteger(), nullable=True),
    sa.Column('signed_expected', sa.Integer(), nullable=True),
    sa.Column('signed_present', sa.Integer(), nullable=True),
    sa.Column('signed_absent', sa.Integer(), nullable=True),
    sa.Column('released_by', sa.BigInteger(), nullable=True),
    sa.Column('released_ms', sa.BigInteger(), nullable=True),
    sa.Column('remarks', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint('(absent_by IS NULL) = (absent_ms IS NULL)', name=op.f('ck_room_record_absent')),
    sa.CheckConstraint('(released_by IS NULL) = (released_ms IS NULL)', name=op.f('ck_room_record_released')),
    sa.CheckConstraint('(signed_by IS NULL) = (signed_ms IS NULL)', name=op.f('ck_room_record_signed')),
    sa.CheckConstraint('(signed_ms IS NULL) = (signed_expected IS NULL) AND (signed_expected IS NULL) = (signed_present IS NULL) AND (signed_expected IS NULL) = (signed_absent IS NULL) AND (signed_expected IS NULL OR signed_expected = signed_present + signed_absent)', name=op.f('ck_room_record_numbers')),
    sa.CheckConstraint('released_ms IS NULL OR signed_ms IS NOT NULL', name=op.f('ck_room_record_order')),
    sa.ForeignKeyConstraint(['absent_by'], ['staff.id'], name=op.f('fk_room_record_absent_by')),
    sa.ForeignKeyConstraint(['released_by'], ['staff.id'], name=op.f('fk_room_record_released_by')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_room_record_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_room_record_session_id')),
    sa.ForeignKeyConstraint(['signed_by'], ['staff.id'], name=op.f('fk_room_record_signed_by')),
    sa.PrimaryKeyConstraint('session_id', 'room_id', name=op.f('pk_room_record'))
    )
    op.create_table('discrepancy_evidence',
    sa.Column('discrepancy_id', sa.BigInteger(), nullable=False),
    sa.Column('evidence_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['discrepancy_id'], ['discrepancy.id'], name=op.f('fk_discrepancy_evidence_discrepancy_id')),
    sa.ForeignKeyConstraint(['evidence_id'], ['evidence_file.id'], name=op.f('fk_discrepancy_evidence_evidence_id')),
    sa.PrimaryKeyConstraint('discrepancy_id', 'evidence_id', name=op.f('pk_discrepancy_evidence'))
    )
    op.create_index(op.f('ix_discrepancy_evidence_evidence_id'), 'discrepancy_evidence', ['evidence_id'], unique=False)
    op.create_table('discrepancy_field',
    sa.Column('discrepancy_id', sa.BigInteger(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('recorded', sa.Text(), nullable=False),
    sa.Column('claimed', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('decided_by', sa.BigInteger(), nullable=True),
    sa.Column('decided_ms', sa.BigInteger(), nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("(state = 'open') = (decided_by IS NULL) AND (state = 'open') = (decided_ms IS NULL)", name=op.f('ck_discrepancy_field_decided')),
    sa.CheckConstraint("field IN ('name', 'gender', 'id_kind', 'id_number', 'specialty', 'employer', 'photo')", name=op.f('ck_discrepancy_field_field')),
    sa.CheckConstraint("state IN ('open', 'approved', 'rejected')", name=op.f('ck_discrepancy_field_state')),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], name=op.f('fk_discrepancy_field_decided_by')),
    sa.ForeignKeyConstraint(['discrepancy_id'], ['discrepancy.id'], name=op.f('fk_discrepancy_field_discrepancy_id')),
    sa.PrimaryKeyConstraint('discrepancy_id', 'field', name=op.f('pk_discrepancy_field'))
    )
    op.create_table('misconduct_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('misconduct_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('evidence_id', sa.BigInteger(), nullable=True),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(kind = 'evidence') = (evidence_id IS NOT NULL)", name=op.f('ck_misconduct_entry_evidence')),
    sa.CheckConstraint("kind IN ('note', 'witness', 'told', 'evidence', 'measure')", name=op.f('ck_misconduct_entry_kind')),
    sa.ForeignKeyConstraint(['evidence_id'], ['evidence_file.id'], name=op.f('fk_misconduct_entry_evidence_id')),
    sa.ForeignKeyConstraint(['misconduct_id'], ['misconduct.id'], name=op.f('fk_misconduct_entry_misconduct_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_misconduct_entry_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_misconduct_entry'))
    )
    op.create_index(op.f('ix_misconduct_entry_evidence_id'), 'misconduct_entry', ['evidence_id'], unique=False)
    op.create_index(op.f('ix_misconduct_entry_misconduct_id'), 'misconduct_entry', ['misconduct_id'], unique=False)
    op.create_table('leave',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('left_by', sa.BigInteger(), nullable=False),
    sa.Column('left_ms', sa.BigInteger(), nullable=False),
    sa.Column('returned_by', sa.BigInteger(), nullable=True),
    sa.Column('returned_ms', sa.BigInteger(), nullable=True),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind IN ('toilet', 'medical', 'other')", name=op.f('ck_leave_kind')),
    sa.CheckConstraint('(returned_by IS NULL) = (returned_ms IS NULL)', name=op.f('ck_leave_returned')),
    sa.CheckConstraint('returned_ms >= left_ms', name=op.f('ck_leave_order')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_leave_attempt_id')),
    sa.ForeignKeyConstraint(['left_by'], ['staff.id'], name=op.f('fk_leave_left_by')),
    sa.ForeignKeyConstraint(['returned_by'], ['staff.id'], name=op.f('fk_leave_returned_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_leave'))
    )
    op.create_index('uq_leave_open', 'leave', ['attempt_id'], unique=True, postgresql_where=sa.text('returned_ms IS NULL'))
    op.create_table('spare_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('from_room_id', sa.BigInteger(), nullable=False),
    sa.Column('to_room_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='asked', nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('answered_by', sa.BigInteger(), nullable=True),
    sa.Column('answered_ms', sa.BigInteger(), nullable=True),
    sa.Column('relog_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("state IN ('asked', 'granted', 'declined', 'withdrawn')", name=op.f('ck_spare_request_state')),
    sa.CheckConstraint('from_room_id <> to_room_id', name=op.f('ck_spare_request_rooms')),
    sa.CheckConstraint("(state = 'asked') = (answered_by IS NULL) AND (answered_by IS NULL) = (answered_ms IS NULL)", name=op.f('ck_spare_request_answered')),
    sa.CheckConstraint("(state = 'granted') = (relog_id IS NOT NULL)", name=op.f('ck_spare_request_granted')),
    sa.ForeignKeyConstraint(['answered_by'], ['staff.id'], name=op.f('fk_spare_request_answered_by')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_spare_request_attempt_id')),
    sa.ForeignKeyConstraint(['from_room_id'], ['room.id'], name=op.f('fk_spare_request_from_room_id')),
    sa.ForeignKeyConstraint(['relog_id'], ['relog.id'], name=op.f('fk_spare_request_relog_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_spare_request_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_spare_request_staff_id')),
    sa.ForeignKeyConstraint(['to_room_id'], ['room.id'], name=op.f('fk_spare_request_to_room_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spare_request'))
    )
    op.create_index(op.f('ix_spare_request_from_room_id'), 'spare_request', ['from_room_id'], unique=False)
    op.create_index(op.f('ix_spare_request_to_room_id'), 'spare_request', ['to_room_id'], unique=False)
    op.create_index('uq_spare_request_asked', 'spare_request', ['attempt_id'], unique=True, postgresql_where=sa.text("state = 'asked'"))
    op.create_table('roll_call',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('people', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('marks', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('closed_by', sa.BigInteger(), nullable=True),
    sa.Column('closed_ms', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(closed_by IS NULL) = (closed_ms IS NULL)', name=op.f('ck_roll_call_closed')),
    sa.ForeignKeyConstraint(['closed_by'], ['staff.id'], name=op.f('fk_roll_call_closed_by')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_roll_call_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_roll_call_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_roll_call_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_call'))
    )
    op.create_index('ix_roll_call_room', 'roll_call', ['room_id', 'session_id'], unique=False)
    op.create_index('uq_roll_call_open', 'roll_call', ['session_id', 'room_id'], unique=True, postgresql_where=sa.text('closed_ms IS NULL'))
    op.create_table('item_report',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('attempt_id', sa.UUID(), nullable=False),
    sa.Column('item_version_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('seat_label', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('told_by', sa.Text(), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_item_report_attempt_id')),
    sa.ForeignKeyConstraint(['item_version_id'], ['item_version.id'], name=op.f('fk_item_report_item_version_id')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_item_report_room_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_item_report_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_item_report_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_report'))
    )
    op.create_index(op.f('ix_item_report_attempt_id'), 'item_report', ['attempt_id'], unique=False)
    op.create_index(op.f('ix_item_report_item_version_id'), 'item_report', ['item_version_id'], unique=False)
    op.create_index(op.f('ix_item_report_session_id'), 'item_report', ['session_id'], unique=False)
    op.create_table('announcement',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('addressed', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('scope_names', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('zh', sa.Text(), nullable=False),
    sa.Column('en', sa.Text(), nullable=False),
    sa.Column('notice_id', sa.BigInteger(), nullable=True),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('made_ms', sa.BigInteger(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("addressed IN ('candidates', 'staff', 'both')", name=op.f('ck_announcement_addressed')),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name=op.f('ck_announcement_scope')),
    sa.CheckConstraint("addressed <> 'staff' OR notice_id IS NULL", name=op.f('ck_announcement_notice')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_announcement_notice_id')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_announcement_session_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_announcement_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_announcement'))
    )
    op.create_index(op.f('ix_announcement_session_id'), 'announcement', ['session_id'], unique=False)
    op.create_table('announcement_room',
    sa.Column('announcement_id', sa.BigInteger(), nullable=False),
    sa.Column('room_id', sa.BigInteger(), nullable=False),
    sa.Column('known_by', sa.BigInteger(), nullable=True),
    sa.Column('known_ms', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(known_by IS NULL) = (known_ms IS NULL)', name=op.f('ck_announcement_room_known')),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_announcement_room_announcement_id')),
    sa.ForeignKeyConstraint(['known_by'], ['staff.id'], name=op.f('fk_announcement_room_known_by')),
    sa.ForeignKeyConstraint(['room_id'], ['room.id'], name=op.f('fk_announcement_room_room_id')),
    sa.PrimaryKeyConstraint('announcement_id', 'room_id', name=op.f('pk_announcement_room'))
    )
    op.create_index(op.f('ix_announcement_room_room_id'), 'announcement_room', ['room_id'], unique=False)
    for table in IMMUTABLE:
        op.execute(
            f'CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON {table}'
            ' FOR EACH ROW EXECUTE FUNCTION refuse_change()'
        )
    # What the trigger of each row does not see.
    op.execute('CREATE TRIGGER kept BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()')
    op.add_column('allocation', sa.Column('checked_in_ms', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('checked_in_by', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('absent_ms', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('absent_by', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('withdrew_ms', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('withdrew_by', sa.BigInteger(), nullable=True))
    op.add_column('allocation', sa.Column('withdrew_reason', sa.Text(), nullable=True))
    op.create_foreign_key(op.f('fk_allocation_withdrew_by'), 'allocation', 'staff', ['withdrew_by'], ['id'])
    op.create_check_constraint(
        op.f('ck_allocation_withdrew'), 'allocation',
        '(withdrew_by IS NULL) = (withdrew_ms IS NULL) AND (withdrew_by IS NULL) = (withdrew_reason IS NULL)',
    )
    op.create_foreign_key(op.f('fk_allocation_absent_by'), 'allocation', 'staff', ['absent_by'], ['id'])
    op.create_foreign_key(op.f('fk_allocation_checked_in_by'), 'allocation', 'staff', ['checked_in_by'], ['id'])
    op.drop_constraint(op.f('uq_allocation_session_id_seat_id'), 'allocation', type_='unique')
    op.create_unique_constraint(
        op.f('uq_allocation_session_id_seat_id'), 'allocation', ['session_id', 'seat_id'], deferrable=True,
        initially='IMMEDIATE',
    )
    op.add_column('staff', sa.Column('must_change', sa.Boolean(), server_default=sa.false(), nullable=False))



def downgrade() -> None:
    op.drop_index(op.f('ix_announcement_room_room_id'), table_name='announcement_room')
    op.drop_table('announcement_room')
    op.drop_index(op.f('ix_announcement_session_id'), table_name='announcement')
    op.drop_table('announcement')
    op.drop_index(op.f('ix_item_report_session_id'), table_name='item_report')
    op.drop_index(op.f('ix_item_report_item_version_id'), table_name='item_report')
    op.drop_index(op.f('ix_item_report_attempt_id'), table_name='item_report')
    op.drop_table('item_report')
    op.execute('DROP TRIGGER kept ON audit_entry')
    op.drop_column('staff', 'must_change')
    op.drop_index('ix_audit_entry_subject', table_name='audit_entry', postgresql_using='gin', postgresql_ops={'subject': 'jsonb_path_ops'})
    op.drop_index('ix_audit_entry_staff_id', table_name='audit_entry')
    op.drop_index('ix_audit_entry_at', table_name='audit_entry')
    op.drop_index('ix_audit_entry_service_ms', table_name='audit_entry')
    op.drop_constraint(op.f('uq_allocation_session_id_seat_id'), 'allocation', type_='unique')
    op.create_unique_constraint(op.f('uq_allocation_session_id_seat_id'), 'allocation', ['session_id', 'seat_id'])
    op.drop_constraint(op.f('fk_allocation_checked_in_by'), 'allocation', type_='foreignkey')
    op.drop_constraint(op.f('fk_allocation_absent_by'), 'allocation', type_='foreignkey')
    op.drop_constraint(op.f('fk_allocation_withdrew_by'), 'allocation', type_='foreignkey')
    op.drop_column('allocation', 'withdrew_reason')
    op.drop_column('allocation', 'withdrew_by')
    op.drop_column('allocation', 'withdrew_ms')
    op.drop_column('allocation', 'absent_by')
    op.drop_column('allocation', 'absent_ms')
    op.drop_column('allocation', 'checked_in_by')
    op.drop_column('allocation', 'checked_in_ms')
    op.drop_table('roll_call')
    op.drop_table('spare_request')
    op.drop_index('uq_leave_open', table_name='leave', postgresql_where=sa.text('returned_ms IS NULL'))
    op.drop_table('leave')
    op.drop_index(op.f('ix_misconduct_entry_misconduct_id'), table_name='misconduct_entry')
    op.drop_index(op.f('ix_misconduct_entry_evidence_id'), table_name='misconduct_entry')
    op.drop_table('misconduct_entry')
    op.drop_table('discrepancy_field')
    op.drop_index(op.f('ix_discrepancy_evidence_evidence_id'), table_name='discrepancy_evidence')
    op.drop_table('discrepancy_evidence')
    op.drop_table('room_record')
    op.drop_index(op.f('ix_misconduct_room_id'), table_name='misconduct')
    op.drop_index(op.f('ix_misconduct_candidate_id'), table_name='misconduct')
    op.drop_table('misconduct')
    op.drop_index(op.f('ix_incident_room_room_id'), table_name='incident_room')
    op.drop_table('incident_room')
    op.drop_index(op.f('ix_incident_entry_incident_id'), table_name='incident_entry')
    op.drop_index(op.f('ix_incident_entry_evidence_id'), table_name='incident_entry')
    op.drop_table('incident_entry')
    op.drop_index(op.f('ix_incident_candidate_candidate_id'), table_name='incident_candidate')
    op.drop_table('incident_candidate')
    op.drop_index(op.f('ix_duty_change_room_id'), table_name='duty_change')
    op.drop_table('duty_change')
    op.drop_index(op.f('ix_discrepancy_candidate_id'), table_name='discrepancy')
    op.drop_table('discrepancy')
    op.drop_index(op.f('ix_incident_session_id'), table_name='incident')
    op.drop_table('incident')
    op.drop_table('candidate_photo')
    op.drop_index(op.f('ix_site_job_exam_id'), table_name='site_job')
    op.drop_index('uq_site_job_open', table_name='site_job', postgresql_where=sa.text("state IN ('waiting', 'working', 'checked')"))
    op.drop_table('site_job')
    op.drop_index(op.f('ix_admission_candidate_id'), table_name='admission')
    op.drop_table('admission')
    op.drop_table('incident_plan')
    op.drop_index(op.f('ix_evidence_file_exam_id'), table_name='evidence_file')
    op.drop_table('evidence_file')
