"""The tables of the people's side of the day: who came, what happened, what was disputed, and the evidence.

Units as in ``tables``: ``_ms`` is a length in milliseconds or an instant of service time, ``_at`` a wall-clock instant
for people. What staff write down is never overwritten: an incident and a misconduct record are a head row and
append-only entries (``*_entry``), a corrected field keeps both of its values.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from app.storage.postgres.tables import BIG, EMPTY_LIST, EMPTY_OBJECT, TEXT, _at, _id, _ref, metadata


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, server_default="")


def _made() -> tuple[sa.Column[int], sa.Column[int], sa.Column[object]]:
    """Who wrote it, when the exam clock read what, and what the wall clock said."""
    return _ref("staff_id", "staff.id"), sa.Column("made_ms", BIG, nullable=False), _at("made_at", default=True)


# --- who came ---

# One room in one session as its invigilators account for it: expected = present + absent before it is signed off, and
# released only when every attempt is final.
room_record = sa.Table(
    "room_record",
    metadata,
    sa.Column("session_id", BIG, sa.ForeignKey("session.id"), primary_key=True),
    sa.Column("room_id", BIG, sa.ForeignKey("room.id"), primary_key=True),
    _ref("absent_by", "staff.id", nullable=True),
    sa.Column("absent_ms", BIG),
    _ref("signed_by", "staff.id", nullable=True),
    sa.Column("signed_ms", BIG),
    # The numbers under the signature, as they were said: whoever is moved afterwards does not change what was signed.
    sa.Column("signed_expected", sa.Integer),
    sa.Column("signed_present", sa.Integer),
    sa.Column("signed_absent", sa.Integer),
    _ref("released_by", "staff.id", nullable=True),
    sa.Column("released_ms", BIG),
    _text("remarks"),
    sa.CheckConstraint("(absent_by IS NULL) = (absent_ms IS NULL)", name="absent"),
    sa.CheckConstraint("(signed_by IS NULL) = (signed_ms IS NULL)", name="signed"),
    sa.CheckConstraint(
        "(signed_ms IS NULL) = (signed_expected IS NULL) AND (signed_expected IS NULL) = (signed_present IS NULL)"
        " AND (signed_expected IS NULL) = (signed_absent IS NULL)"
        " AND (signed_expected IS NULL OR signed_expected = signed_present + signed_absent)",
        name="numbers",
    ),
    sa.CheckConstraint("(released_by IS NULL) = (released_ms IS NULL)", name="released"),
    sa.CheckConstraint("released_ms IS NULL OR signed_ms IS NOT NULL", name="order"),
)

# Let in against a rule, by somebody, for a reason: after last admission, or with a discrepancy. One that was given to
# the wrong person is taken back and stays on record.
admission = sa.Table(
    "admission",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    _ref("candidate_id", "candidate.id", index=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    _text("told_by"),
    *_made(),
    _ref("withdrawn_by", "staff.id", nullable=True),
    sa.Column("withdrawn_ms", BIG),
    sa.CheckConstraint("kind IN ('late', 'provisional')", name="kind"),
    sa.CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_ms IS NULL)", name="withdrawn"),
    sa.Index(
        "uq_admission_standing", "session_id", "candidate_id", "kind", unique=True,
        postgresql_where=sa.text("withdrawn_ms IS NULL"),
    ),
)  # fmt: skip

# A room that has run out of spare seats asks another one, for one candidate. Granted, the seat is kept for them by the
# relog that was opened with the answer.
spare_request = sa.Table(
    "spare_request",
    metadata,
    _id(),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), nullable=False),
    _ref("session_id", "session.id"),
    _ref("from_room_id", "room.id", index=True),
    _ref("to_room_id", "room.id", index=True),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False, server_default="asked"),
    _text("told_by"),
    *_made(),
    _ref("answered_by", "staff.id", nullable=True),
    sa.Column("answered_ms", BIG),
    _ref("relog_id", "relog.id", nullable=True),
    sa.CheckConstraint("state IN ('asked', 'granted', 'declined', 'withdrawn')", name="state"),
    sa.CheckConstraint("from_room_id <> to_room_id", name="rooms"),
    sa.CheckConstraint(
        "(state = 'asked') = (answered_by IS NULL) AND (answered_by IS NULL) = (answered_ms IS NULL)", name="answered"
    ),
    sa.CheckConstraint("(state = 'granted') = (relog_id IS NOT NULL)", name="granted"),
    sa.Index("uq_spare_request_asked", "attempt_id", unique=True, postgresql_where=sa.text("state = 'asked'")),
)

# 点名: who of a room is there, after an evacuation or a disturbance. people: [{"ticket", "name", "seat"}], everybody
# present as it was opened; marks: {ticket: {"found", "by", "ms"}}.
roll_call = sa.Table(
    "roll_call",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    _ref("room_id", "room.id"),
    sa.Column("people", JSONB, nullable=False),
    sa.Column("marks", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    _text("told_by"),
    *_made(),
    _ref("closed_by", "staff.id", nullable=True),
    sa.Column("closed_ms", BIG),
    sa.CheckConstraint("(closed_by IS NULL) = (closed_ms IS NULL)", name="closed"),
    sa.Index("ix_roll_call_room", "room_id", "session_id"),
    sa.Index(
        "uq_roll_call_open", "session_id", "room_id", unique=True, postgresql_where=sa.text("closed_ms IS NULL")
    ),
)  # fmt: skip

# Out of the room with the clock running (toilet, doctor): the question is hidden until the return.
leave = sa.Table(
    "leave",
    metadata,
    _id(),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    _text("note"),
    _ref("left_by", "staff.id"),
    sa.Column("left_ms", BIG, nullable=False),
    _ref("returned_by", "staff.id", nullable=True),
    sa.Column("returned_ms", BIG),
    _at("made_at", default=True),
    sa.CheckConstraint("kind IN ('toilet', 'medical', 'other')", name="kind"),
    # Nobody brings back whoever is out when their attempt ends.
    sa.CheckConstraint("returned_by IS NULL OR returned_ms IS NOT NULL", name="returned"),
    sa.CheckConstraint("returned_ms >= left_ms", name="order"),
    sa.Index("uq_leave_open", "attempt_id", unique=True, postgresql_where=sa.text("returned_ms IS NULL")),
)

candidate_photo = sa.Table(
    "candidate_photo",
    metadata,
    sa.Column("candidate_id", BIG, sa.ForeignKey("candidate.id"), primary_key=True),
    sa.Column("sha256", TEXT, nullable=False),
    sa.Column("content_type", TEXT, nullable=False),
    sa.Column("body", BYTEA, nullable=False),
    _text("name"),
    _at("made_at", default=True),
)

# Who watches a room, from when to when: an invigilator is replaced or joined, and open actions pass over with the room.
duty_change = sa.Table(
    "duty_change",
    metadata,
    _id(),
    _ref("room_id", "room.id", index=True),
    _ref("joined_id", "staff.id", nullable=True),
    _ref("left_id", "staff.id", nullable=True),
    sa.Column("reason", TEXT, nullable=False),
    *_made(),
    sa.CheckConstraint("joined_id IS NOT NULL OR left_id IS NOT NULL", name="someone"),
    sa.CheckConstraint("joined_id IS DISTINCT FROM left_id", name="different"),
)

# --- evidence ---

# The bytes as they came, with their hash; who may open them is decided by what they are attached to.
evidence_file = sa.Table(
    "evidence_file",
    metadata,
    _id(),
    _ref("exam_id", "exam.id", index=True),
    sa.Column("sha256", TEXT, nullable=False),
    sa.Column("content_type", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("size", BIG, sa.CheckConstraint("size > 0", name="size"), nullable=False),
    sa.Column("body", BYTEA, nullable=False),
    *_made(),
)

# --- what happened ---

# A contingency plan's own steps, as the office edits them: every edit is a new version, and an incident keeps the one
# it was opened under. steps: [{"id", "zh", "en"}].
incident_plan = sa.Table(
    "incident_plan",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    sa.Column("plan", TEXT, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("title_zh", TEXT, nullable=False),
    sa.Column("title_en", TEXT, nullable=False),
    sa.Column("steps", JSONB, nullable=False),
    _ref("staff_id", "staff.id", nullable=True),
    _at("made_at", default=True),
    sa.UniqueConstraint("exam_id", "plan", "version"),
)

incident = sa.Table(
    "incident",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    # Counted in its exam: what people say on the telephone.
    sa.Column("number", sa.Integer, nullable=False),
    _ref("session_id", "session.id", nullable=True, index=True),
    _ref("plan_id", "incident_plan.id"),
    sa.Column("title", TEXT, nullable=False),
    sa.Column("scope", TEXT, nullable=False),
    sa.Column("scope_names", JSONB, nullable=False, server_default=EMPTY_LIST),
    # Confidential (plan 1): only for the office's roles and whoever opened it.
    sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("state", TEXT, nullable=False, server_default="open"),
    # When it began, which is before anybody had time to write it down.
    sa.Column("from_ms", BIG, nullable=False),
    sa.Column("to_ms", BIG),
    _text("told_by"),
    *_made(),
    _ref("signed_by", "staff.id", nullable=True),
    sa.Column("signed_ms", BIG),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name="scope"),
    sa.CheckConstraint("state IN ('open', 'closed', 'signed')", name="state"),
    sa.CheckConstraint("(state = 'open') = (to_ms IS NULL) AND to_ms >= from_ms", name="closed"),
    sa.CheckConstraint(
        "(state = 'signed') = (signed_by IS NOT NULL) AND (signed_by IS NULL) = (signed_ms IS NULL)", name="signed"
    ),
    sa.UniqueConstraint("exam_id", "number"),
)

incident_room = sa.Table(
    "incident_room",
    metadata,
    sa.Column("incident_id", BIG, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("room_id", BIG, sa.ForeignKey("room.id"), primary_key=True, index=True),
)

incident_candidate = sa.Table(
    "incident_candidate",
    metadata,
    sa.Column("incident_id", BIG, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("candidate_id", BIG, sa.ForeignKey("candidate.id"), primary_key=True, index=True),
)

# Everything about an incident in the order it came: steps done, who was told, actions taken, evidence.
incident_entry = sa.Table(
    "incident_entry",
    metadata,
    _id(),
    _ref("incident_id", "incident.id", index=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    _ref("evidence_id", "evidence_file.id", nullable=True, index=True),
    _text("told_by"),
    *_made(),
    sa.CheckConstraint(
        "kind IN ('opened', 'step', 'step-undone', 'note', 'told', 'people', 'action', 'evidence', 'changed',"
        " 'closed', 'reopened', 'signed')",
        name="kind",
    ),
    sa.CheckConstraint("(kind = 'evidence') = (evidence_id IS NOT NULL)", name="evidence"),
)

# --- what the record and the candidate disagree about (plan 3) ---

discrepancy = sa.Table(
    "discrepancy",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    _ref("candidate_id", "candidate.id", index=True),
    _ref("room_id", "room.id"),
    # How it was made sure that this is the person.
    sa.Column("identified", TEXT, nullable=False),
    _text("note"),
    _text("told_by"),
    *_made(),
)

# Both values stay, whatever is decided; the record is changed once, by the approval.
discrepancy_field = sa.Table(
    "discrepancy_field",
    metadata,
    sa.Column("discrepancy_id", BIG, sa.ForeignKey("discrepancy.id"), primary_key=True),
    sa.Column("field", TEXT, primary_key=True),
    sa.Column("recorded", TEXT, nullable=False),
    sa.Column("claimed", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False, server_default="open"),
    _ref("decided_by", "staff.id", nullable=True),
    sa.Column("decided_ms", BIG),
    _text("note"),
    sa.CheckConstraint(
        "field IN ('name', 'gender', 'id_kind', 'id_number', 'specialty', 'employer', 'photo')", name="field"
    ),
    sa.CheckConstraint("state IN ('open', 'approved', 'rejected')", name="state"),
    sa.CheckConstraint(
        "(state = 'open') = (decided_by IS NULL) AND (state = 'open') = (decided_ms IS NULL)", name="decided"
    ),
)

discrepancy_evidence = sa.Table(
    "discrepancy_evidence",
    metadata,
    sa.Column("discrepancy_id", BIG, sa.ForeignKey("discrepancy.id"), primary_key=True),
    sa.Column("evidence_id", BIG, sa.ForeignKey("evidence_file.id"), primary_key=True, index=True),
)

# --- misconduct (plan 1): facts, never a penalty ---

misconduct = sa.Table(
    "misconduct",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    _ref("candidate_id", "candidate.id", index=True),
    _ref("room_id", "room.id", index=True),
    sa.Column("seat_label", TEXT, nullable=False),
    _ref("incident_id", "incident.id", nullable=True),
    sa.Column("facts", TEXT, nullable=False),
    # Two staff saw it (PLANS): whoever writes it down, and this one.
    sa.Column("second_staff", TEXT, nullable=False),
    sa.Column("seen_ms", BIG, nullable=False),
    # Whether the candidate was told, and signed: ''/signed/refused.
    sa.Column("told", sa.Boolean, nullable=False),
    _text("signature"),
    # What became of the sitting: goes on unmarked, goes on with a mark, or was ended by force (answers kept).
    sa.Column("measure", TEXT, nullable=False, server_default="noted"),
    _text("told_by"),
    *_made(),
    sa.CheckConstraint("signature IN ('', 'signed', 'refused')", name="signature"),
    sa.CheckConstraint("measure IN ('noted', 'marked', 'removed')", name="measure"),
)

misconduct_entry = sa.Table(
    "misconduct_entry",
    metadata,
    _id(),
    _ref("misconduct_id", "misconduct.id", index=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("data", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    _ref("evidence_id", "evidence_file.id", nullable=True, index=True),
    *_made(),
    sa.CheckConstraint("kind IN ('note', 'witness', 'told', 'evidence', 'measure')", name="kind"),
    sa.CheckConstraint("(kind = 'evidence') = (evidence_id IS NOT NULL)", name="evidence"),
)

# --- items that are said to be wrong (plan 4.1) ---

# By whom, of which paper, in whose words: the item is known as the version that this candidate drew, so that a later
# decision on it finds everybody who drew the same.
item_report = sa.Table(
    "item_report",
    metadata,
    _id(),
    _ref("session_id", "session.id", index=True),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), nullable=False, index=True),
    _ref("item_version_id", "item_version.id", index=True),
    # What the candidate calls it: the number on their own paper.
    sa.Column("position", sa.Integer, nullable=False),
    _ref("room_id", "room.id"),
    sa.Column("seat_label", TEXT, nullable=False),
    sa.Column("text", TEXT, nullable=False),
    _text("told_by"),
    *_made(),
)

# --- announcements ---

# What the office says to a scope. Candidates get it as a notice (who has shown it is in notice_attempt); the staff of a
# room acknowledge it once, for the room.
announcement = sa.Table(
    "announcement",
    metadata,
    _id(),
    _ref("session_id", "session.id", index=True),
    sa.Column("addressed", TEXT, nullable=False),
    sa.Column("scope", TEXT, nullable=False),
    sa.Column("scope_names", JSONB, nullable=False, server_default=EMPTY_LIST),
    sa.Column("zh", TEXT, nullable=False),
    sa.Column("en", TEXT, nullable=False),
    _ref("notice_id", "notice.id", nullable=True),
    *_made(),
    sa.CheckConstraint("addressed IN ('candidates', 'staff', 'both')", name="addressed"),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name="scope"),
    sa.CheckConstraint("addressed <> 'staff' OR notice_id IS NULL", name="notice"),
)

announcement_room = sa.Table(
    "announcement_room",
    metadata,
    sa.Column("announcement_id", BIG, sa.ForeignKey("announcement.id"), primary_key=True),
    sa.Column("room_id", BIG, sa.ForeignKey("room.id"), primary_key=True, index=True),
    _ref("known_by", "staff.id", nullable=True),
    sa.Column("known_ms", BIG),
    sa.CheckConstraint("(known_by IS NULL) = (known_ms IS NULL)", name="known"),
)

# --- long work from the browser ---

# An import or a draw somebody asked for at the console: one open at a time for an exam, and told to every page by its
# row, whichever process does it. The file is kept until the work has ended, the fault report until the next one begins.
# "beat_at" moves while somebody works on it: one that has stopped is lost, and the record says what was done.
site_job = sa.Table(
    "site_job",
    metadata,
    _id(),
    _ref("exam_id", "exam.id", index=True),
    # No reference: a session that is taken away does not keep the story of its draw from being told.
    sa.Column("session_id", BIG),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False, server_default="waiting"),
    sa.Column("name", TEXT, nullable=False),
    _text("sha256"),
    sa.Column("body", BYTEA),
    sa.Column("params", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    _text("stage"),
    sa.Column("done", BIG, nullable=False, server_default="0"),
    sa.Column("total", BIG, nullable=False, server_default="0"),
    sa.Column("result", JSONB),
    # The faults of the file, as importers.faults tells them.
    sa.Column("faults", JSONB, nullable=False, server_default=EMPTY_LIST),
    _at("beat_at", default=True),
    _at("ended_at"),
    *_made(),
    sa.CheckConstraint("kind IN ('roster', 'bank', 'draw')", name="kind"),
    sa.CheckConstraint(
        "state IN ('waiting', 'working', 'checked', 'done', 'faulty', 'refused', 'failed', 'lost', 'discarded')",
        name="state",
    ),
    sa.CheckConstraint("(state IN ('waiting', 'working', 'checked')) = (ended_at IS NULL)", name="ended"),
    sa.Index(
        "uq_site_job_open", "exam_id", unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'working', 'checked')"),
    ),
)  # fmt: skip

# As tables.IMMUTABLE: rows that never change once written.
IMMUTABLE = (
    "duty_change", "evidence_file", "incident_plan", "incident_entry", "discrepancy_evidence",
    "misconduct_entry", "item_report", "announcement",
)  # fmt: skip
