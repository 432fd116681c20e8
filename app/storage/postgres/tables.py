"""Every table of the record, in one place.

Units: a column ending in ``_ms`` is either a length in milliseconds or an instant of *service time* (the counter of
docs/decisions/0002), never a wall clock; a column ending in ``_at`` is a wall-clock instant (``timestamptz``, UTC)
and is for people and logs only.

Constraints that the exam's rules rest on live here, not only in the code above: one seat holds one candidate in a
session, one live lease per attempt, a ticket is unique in its exam, an item version never changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, INT8MULTIRANGE, JSONB, TIMESTAMP, UUID

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

BIG = sa.BigInteger
TEXT = sa.Text
NOW = sa.text("now()")
EMPTY_OBJECT = sa.text("'{}'::jsonb")
EMPTY_LIST = sa.text("'[]'::jsonb")


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, sa.Identity(always=False), primary_key=True)


def _at(name: str, *, default: bool = False, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(
        name,
        TIMESTAMP(timezone=True),
        server_default=NOW if default else None,
        nullable=nullable and not default,
    )


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, sa.ForeignKey(target), nullable=nullable, index=index)


# --- the place and the plan ---

exam = sa.Table(
    "exam",
    metadata,
    _id(),
    sa.Column("code", TEXT, nullable=False, unique=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("timezone", TEXT, nullable=False, server_default="Asia/Shanghai"),
    sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
    _at("created_at", default=True),
)

building = sa.Table(
    "building",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    sa.Column("name", TEXT, nullable=False),
    sa.UniqueConstraint("exam_id", "name"),
)

room = sa.Table(
    "room",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    _ref("building_id", "building.id"),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("number", TEXT, nullable=False, server_default=""),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("seat_count", sa.Integer, sa.CheckConstraint("seat_count > 0", name="seats"), nullable=False),
    sa.Column("spare_count", sa.Integer, sa.CheckConstraint("spare_count >= 0", name="spares"), nullable=False),
    sa.UniqueConstraint("exam_id", "name"),
)

seat = sa.Table(
    "seat",
    metadata,
    _id(),
    _ref("room_id", "room.id"),
    # '1' … '40' for regular seats, '备1' … '备3' for spare seats, as rosters write them.
    sa.Column("label", TEXT, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("is_spare", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("out_of_order", TEXT),
    sa.UniqueConstraint("room_id", "label"),
    sa.UniqueConstraint("room_id", "ordinal"),
)

session = sa.Table(
    "session",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    _at("planned_start", nullable=False),
    # What the last roster said, so that importing it again after a reschedule does not move the day back.
    _at("imported_start"),
    sa.Column("duration_ms", BIG, sa.CheckConstraint("duration_ms > 0", name="duration"), nullable=False),
    # The start in service time; null until the office opens the day, and again when the start fell into an outage
    # (a session never starts by itself late: DESIGN §5).
    sa.Column("start_ms", BIG),
    sa.Column("held", TEXT),
    sa.Column("sign_in_opens_ms", BIG, nullable=False, server_default="1800000"),
    sa.Column("last_admission_ms", BIG, nullable=False, server_default="900000"),
    sa.Column("earliest_hand_in_ms", BIG, nullable=False, server_default="0"),
    sa.Column("grace_ms", BIG, nullable=False, server_default="180000"),
    sa.UniqueConstraint("exam_id", "number"),
)

candidate = sa.Table(
    "candidate",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    sa.Column("ticket", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("gender", TEXT, nullable=False, server_default=""),
    sa.Column("id_kind", TEXT, nullable=False, server_default="resident"),
    sa.Column("id_number", TEXT, nullable=False),
    # HMAC of the last six of the ID under the site's key: 1,880 sign-ins in 10 s leave no room for argon2.
    sa.Column("id_tail_hmac", BYTEA, nullable=False),
    sa.Column("specialty", TEXT, nullable=False, server_default=""),
    sa.Column("employer", TEXT, nullable=False, server_default=""),
    sa.Column("extra_time_ms", BIG, nullable=False, server_default="0"),
    sa.UniqueConstraint("exam_id", "ticket"),
    sa.UniqueConstraint("exam_id", "id_kind", "id_number"),
    sa.Index("ix_candidate_ticket", "ticket"),
)

allocation = sa.Table(
    "allocation",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    _ref("candidate_id", "candidate.id", index=True),
    # Where the candidate sits now, and where the roster put them.
    _ref("seat_id", "seat.id", index=True),
    _ref("planned_seat_id", "seat.id"),
    # Seen at the door, before any PC: present even when no PC will run. And missing, when somebody confirmed it.
    sa.Column("checked_in_ms", BIG),
    _ref("checked_in_by", "staff.id", nullable=True),
    sa.Column("absent_ms", BIG),
    _ref("absent_by", "staff.id", nullable=True),
    # They said that they leave for good (弃考): the attempt was ended with it, every answer kept.
    sa.Column("withdrew_ms", BIG),
    _ref("withdrew_by", "staff.id", nullable=True),
    sa.Column("withdrew_reason", TEXT),
    sa.CheckConstraint(
        "(withdrew_by IS NULL) = (withdrew_ms IS NULL) AND (withdrew_by IS NULL) = (withdrew_reason IS NULL)",
        name="withdrew",
    ),
    sa.CheckConstraint("(checked_in_by IS NULL) = (checked_in_ms IS NULL)", name="checked_in"),
    sa.CheckConstraint("(absent_by IS NULL) = (absent_ms IS NULL)", name="absent"),
    sa.UniqueConstraint("session_id", "candidate_id"),
    # Judged at the end of a statement, not row by row: two candidates exchange their seats in one.
    sa.UniqueConstraint("session_id", "seat_id", deferrable=True, initially="IMMEDIATE"),
)

# --- the bank and the papers ---

media = sa.Table(
    "media",
    metadata,
    sa.Column("sha256", TEXT, primary_key=True),
    sa.Column("content_type", TEXT, nullable=False),
    sa.Column("body", BYTEA, nullable=False),
)

item = sa.Table(
    "item",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    sa.Column("number", TEXT, nullable=False),
    # No longer in the bank's file: never drawn again, while papers that hold it keep it.
    sa.Column("retired", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("exam_id", "number"),
)

item_version = sa.Table(
    "item_version",
    metadata,
    _id(),
    _ref("item_id", "item.id"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("topic", TEXT, nullable=False),
    sa.Column("stem", TEXT, nullable=False),
    # [{"id": "A", "text": …, "media": sha256?}] in the bank's order.
    sa.Column("options", JSONB, nullable=False, server_default=EMPTY_LIST),
    # single/true_false: "A"; multiple: ["A", "C"]; blank: [[accepted forms of blank 1], …]; text: null.
    sa.Column("key", JSONB),
    sa.Column("points_milli", BIG, sa.CheckConstraint("points_milli > 0", name="points"), nullable=False),
    sa.Column("media", JSONB, nullable=False, server_default=EMPTY_LIST),
    sa.Column("content_hash", BYTEA, nullable=False),
    _at("created_at", default=True),
    sa.CheckConstraint("type IN ('single', 'multiple', 'true_false', 'blank', 'text')", name="type"),
    sa.UniqueConstraint("item_id", "version"),
)

blueprint = sa.Table(
    "blueprint",
    metadata,
    sa.Column("session_id", BIG, sa.ForeignKey("session.id"), primary_key=True),
    # {"sections": [{"title", "strata": [{"topic"|null, "type", "count", "points_milli"|null}]}], "shuffle_options"}
    sa.Column("spec", JSONB, nullable=False),
    _at("created_at", default=True),
)

draw = sa.Table(
    "draw",
    metadata,
    _id(),
    _ref("session_id", "session.id", index=True),
    sa.Column("seed", TEXT, nullable=False),
    sa.Column("spec", JSONB, nullable=False),
    sa.Column("papers", sa.Integer, nullable=False),
    sa.Column("digest", BYTEA, nullable=False),
    _at("created_at", default=True),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", UUID(as_uuid=True), primary_key=True),
    sa.Column("session_id", BIG, nullable=False),
    sa.Column("candidate_id", BIG, nullable=False),
    # What is stored is only what the clock cannot tell: 'open' covers scheduled, waiting and running (lifecycle.py).
    sa.Column("state", TEXT, nullable=False, server_default="open"),
    sa.Column("epoch", BIG, nullable=False, server_default="0"),
    # [[epoch, granted_ms], …]: kept in the row because only a locked row is read again after a wait (DESIGN §4.3).
    sa.Column("grants", JSONB, nullable=False, server_default=EMPTY_LIST),
    sa.Column("signed_in_ms", BIG),
    sa.Column("allotted_ms", BIG, nullable=False),
    # The ledger's result so far, kept by services.timing in the transaction that writes the ledger: the service-time
    # instant at which this attempt ends. Null while the session is not anchored, clock.NEVER_MS while it is paused.
    sa.Column("end_ms", BIG),
    # Its own start is the session's start and this: postponements of its room, list or candidate.
    sa.Column("postponed_ms", BIG, nullable=False, server_default="0"),
    # What was left when the pause began; not null exactly while paused.
    sa.Column("left_ms", BIG),
    sa.Column("clock_rev", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended_ms", BIG),
    sa.Column("end_reason", TEXT),
    sa.Column("final_ms", BIG),
    sa.Column("receipt", JSONB),
    # Receipts from before a reopening, each with its final_ms and the reopened_ms: candidates hold them in their hands.
    sa.Column("receipts", JSONB, nullable=False, server_default=EMPTY_LIST),
    # Registers and counters that every acknowledged write moves.
    sa.Column("acked", INT8MULTIRANGE, nullable=False, server_default=sa.text("'{}'::int8multirange")),
    sa.Column("count", BIG, nullable=False, server_default="0"),
    sa.Column("chain", BYTEA, nullable=False, server_default=sa.text("'\\x'::bytea")),
    sa.Column("chain_links", BIG, nullable=False, server_default="0"),
    sa.Column("position", sa.Integer, nullable=False, server_default="1"),
    sa.Column("marked", JSONB, nullable=False, server_default=EMPTY_LIST),
    sa.Column("register_epoch", BIG, nullable=False, server_default="0"),
    sa.Column("register_seq", BIG, nullable=False, server_default="0"),
    # The last request of this epoch that was known when the attempt was reopened: what asked for an end until then has
    # been answered, by the reopening (decision 0016).
    sa.Column("reopened_seq", BIG, nullable=False, server_default="0"),
    sa.Column("elapsed_ms", BIG, nullable=False, server_default="0"),
    # Service time of the last acknowledged contact, and the term it fell into.
    sa.Column("contact_ms", BIG),
    # Contacts after the end: they keep the grace open, and do not tell against the answers they bring.
    sa.Column("late_contact_ms", BIG),
    sa.Column("contact_term", BIG, nullable=False, server_default="0"),
    # Set from a relog's grant to the first paint at the new seat: the open end of its gap.
    sa.Column("gap_from_ms", BIG),
    sa.CheckConstraint("state IN ('open', 'ended', 'final')", name="state"),
    sa.CheckConstraint("end_reason IN ('hand_in', 'time_out', 'forced', 'deferred')", name="end_reason"),
    sa.CheckConstraint("left_ms IS NULL OR end_ms IS NULL OR end_ms = 4000000000000000", name="paused"),
    sa.CheckConstraint("(state = 'open') = (ended_ms IS NULL)", name="ended"),
    sa.CheckConstraint("(state = 'final') = (final_ms IS NOT NULL)", name="final"),
    sa.ForeignKeyConstraint(["session_id", "candidate_id"], ["allocation.session_id", "allocation.candidate_id"]),
    sa.UniqueConstraint("session_id", "candidate_id"),
    sa.Index("ix_attempt_due", "end_ms", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_attempt_postponed", "id", postgresql_where=sa.text("postponed_ms <> 0")),
    sa.Index("ix_attempt_grace", "ended_ms", postgresql_where=sa.text("state = 'ended'")),
    postgresql_with={"fillfactor": "60"},
)

paper = sa.Table(
    "paper",
    metadata,
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True),
    _ref("draw_id", "draw.id"),
    sa.Column("item_count", sa.Integer, nullable=False),
    # The exact gzip bytes GET /attempt/paper sends.
    sa.Column("body", BYTEA, nullable=False),
    sa.Column("etag", TEXT, nullable=False),
)

paper_item = sa.Table(
    "paper_item",
    metadata,
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("item_version_id", BIG, sa.ForeignKey("item_version.id"), nullable=False),
    # Option ids in the order this candidate saw them, e.g. 'CADB'.
    sa.Column("option_order", TEXT, nullable=False, server_default=""),
    sa.Column("points_milli", BIG, nullable=False),
    sa.UniqueConstraint("attempt_id", "item_version_id"),
    sa.Index("ix_paper_item_item_version_id", "item_version_id"),
)

# --- leases and moves ---

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True),
    sa.Column("epoch", BIG, primary_key=True),
    sa.Column("device_id", TEXT, nullable=False),
    sa.Column("secret_hash", BYTEA, nullable=False),
    _ref("seat_id", "seat.id"),
    sa.Column("granted_ms", BIG, nullable=False),
    sa.Column("revoked_ms", BIG),
    sa.Column("address", TEXT, nullable=False, server_default=""),
    _at("granted_at", default=True),
    sa.Index("uq_lease_live", "attempt_id", unique=True, postgresql_where=sa.text("revoked_ms IS NULL")),
)

relog = sa.Table(
    "relog",
    metadata,
    _id(),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), nullable=False),
    _ref("session_id", "session.id"),
    _ref("from_seat_id", "seat.id"),
    _ref("to_seat_id", "seat.id"),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False, server_default="open"),
    _ref("staff_id", "staff.id"),
    sa.Column("opened_ms", BIG, nullable=False),
    sa.Column("closed_ms", BIG),
    _at("created_at", default=True),
    sa.CheckConstraint("state IN ('open', 'used', 'withdrawn')", name="state"),
    sa.Index("uq_relog_attempt", "attempt_id", unique=True, postgresql_where=sa.text("state = 'open'")),
    sa.Index("uq_relog_seat", "session_id", "to_seat_id", unique=True, postgresql_where=sa.text("state = 'open'")),
)

# --- responses ---

response = sa.Table(
    "response",
    metadata,
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True),
    sa.Column("item_id", BIG, primary_key=True),
    sa.Column("epoch", BIG, nullable=False),
    sa.Column("rev", BIG, nullable=False),
    sa.Column("adopt_n", sa.Integer, nullable=False, server_default="0"),
    sa.Column("value_hash", BYTEA, nullable=False),
    sa.Column("value", JSONB(none_as_null=False), nullable=False),
    sa.Column("at_ms", BIG, nullable=False),
    sa.Column("stamp_ms", BIG, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False, server_default=sa.false()),
    postgresql_with={"fillfactor": "70"},
)

# Append-only and partitioned by session; no foreign key, because its rows come out of the statement that holds the
# attempt's row lock, and a per-row trigger would cost every answer of the day for nothing.
response_history = sa.Table(
    "response_history",
    metadata,
    sa.Column("session_id", BIG, primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), primary_key=True),
    sa.Column("item_id", BIG, primary_key=True),
    sa.Column("epoch", BIG, primary_key=True),
    sa.Column("rev", BIG, primary_key=True),
    sa.Column("adopt_n", sa.Integer, primary_key=True),
    sa.Column("value_hash", BYTEA, primary_key=True),
    sa.Column("value", JSONB(none_as_null=False), nullable=False),
    sa.Column("at_ms", BIG, nullable=False),
    sa.Column("stamp_ms", BIG, nullable=False),
    sa.Column("seq", BIG, nullable=False),
    sa.Column("link", BIG, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False, server_default=sa.false()),
    # The chain's head before this row's link: where a broken chain broke (domain/chain.py).
    sa.Column("chain_before", BYTEA),
    postgresql_partition_by="LIST (session_id)",
)

stranded = sa.Table(
    "stranded",
    metadata,
    _id(),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), nullable=False),
    sa.Column("item_id", BIG, nullable=False),
    sa.Column("epoch", BIG, nullable=False),
    sa.Column("rev", BIG, nullable=False),
    sa.Column("value_hash", BYTEA, nullable=False),
    sa.Column("value", JSONB(none_as_null=False), nullable=False),
    sa.Column("at_ms", BIG, nullable=False),
    sa.Column("stamp_ms", BIG, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False, server_default="kept"),
    _at("received_at", default=True),
    # The office's decision: who, at which service time, and why in their words.
    _ref("decided_by", "staff.id", nullable=True),
    sa.Column("decided_ms", BIG),
    sa.Column("note", TEXT, nullable=False, server_default=""),
    sa.CheckConstraint("reason IN ('old_epoch', 'late', 'ended', 'final')", name="reason"),
    sa.CheckConstraint("state IN ('kept', 'adopted', 'dismissed')", name="state"),
    sa.CheckConstraint(
        "(state = 'kept') = (decided_by IS NULL) AND (state = 'kept') = (decided_ms IS NULL)", name="decided"
    ),
    sa.UniqueConstraint("attempt_id", "item_id", "epoch", "rev", "value_hash"),
    sa.Index("ix_stranded_kept", "attempt_id", postgresql_where=sa.text("state = 'kept'")),
)

# --- time ---

lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("n", BIG, primary_key=True, autoincrement=False),
    sa.Column("uid", TEXT, nullable=False, unique=True),
    sa.Column("reason", TEXT, nullable=False),
    _at("started_at", default=True),
)

service_clock = sa.Table(
    "service_clock",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="single"), primary_key=True),
    sa.Column("lineage_n", BIG, sa.ForeignKey("lineage.n"), nullable=False),
    sa.Column("term", BIG, nullable=False, server_default="0"),
    sa.Column("counter_ms", BIG, nullable=False, server_default="0"),
    _at("ticked_at", default=True),
    postgresql_with={"fillfactor": "10"},
)

term = sa.Table(
    "term",
    metadata,
    sa.Column("n", BIG, primary_key=True, autoincrement=False),
    sa.Column("lineage_n", BIG, sa.ForeignKey("lineage.n"), nullable=False),
    sa.Column("start_ms", BIG, nullable=False),
    # Wall-clock length of the gap before this term, for the cap and for people.
    sa.Column("gap_ms", BIG, nullable=False),
    sa.Column("leader", TEXT, nullable=False),
    _at("started_at", default=True),
)

# What the office decided: more than the hall may decide by itself (DESIGN §2, I8), and what cannot be mended.
decision = sa.Table(
    "decision",
    metadata,
    _id(),
    _ref("exam_id", "exam.id"),
    _ref("session_id", "session.id", index=True),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("number", TEXT, nullable=False, server_default=""),
    sa.Column("text", TEXT, nullable=False, server_default=""),
    # lift-cap: what may be lost in all by its members.
    sa.Column("limit_ms", BIG),
    _ref("proposed_by", "staff.id"),
    sa.Column("proposed_ms", BIG, nullable=False),
    _ref("approved_by", "staff.id", nullable=True),
    sa.Column("approved_ms", BIG),
    sa.Column("state", TEXT, nullable=False, server_default="proposed"),
    sa.Column("detail", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    _at("made_at", default=True),
    sa.CheckConstraint("kind IN ('lift-cap', 'swap', 'move', 'extend', 'defer')", name="kind"),
    sa.CheckConstraint("state IN ('proposed', 'approved', 'withdrawn')", name="state"),
    sa.CheckConstraint("(kind = 'lift-cap') = (limit_ms IS NOT NULL)", name="limit"),
    # Two different people: an office that lifts the cap by itself has no cap.
    sa.CheckConstraint(
        "approved_by <> proposed_by AND (approved_by IS NULL) = (approved_ms IS NULL)"
        " AND (kind <> 'lift-cap' OR state <> 'approved' OR approved_by IS NOT NULL)",
        name="approved",
    ),
)

decision_attempt = sa.Table(
    "decision_attempt",
    metadata,
    sa.Column("decision_id", BIG, sa.ForeignKey("decision.id"), primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True, index=True),
)

# The ledger of time: one entry per decision or fact; who was meant is written out in adjustment_attempt.
adjustment = sa.Table(
    "adjustment",
    metadata,
    _id(),
    sa.Column("kind", TEXT, nullable=False),
    _ref("session_id", "session.id", index=True),
    sa.Column("scope", TEXT, nullable=False, server_default="candidate"),
    # Names as people say them: rooms, a building, tickets.
    sa.Column("scope_names", JSONB, nullable=False, server_default=EMPTY_LIST),
    _ref("room_id", "room.id", nullable=True),
    # An entry for this attempt alone, made by the service: relog, ready, reconnect, hold.
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), index=True),
    # credit: the uncharged interval [from_ms, to_ms); pause: from_ms; resume: to_ms; extend, postpone: amount_ms.
    sa.Column("from_ms", BIG),
    sa.Column("to_ms", BIG),
    sa.Column("amount_ms", BIG),
    # resume: its pause; undo: the entry that is taken back.
    _ref("refers_id", "adjustment.id", nullable=True),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("note", TEXT, nullable=False, server_default=""),
    sa.Column("incident", TEXT, nullable=False, server_default=""),
    # Makes an entry idempotent: 'relog:<epoch>', 'term:<n>', 'staff:<uuid>'.
    sa.Column("source", TEXT, nullable=False),
    _ref("staff_id", "staff.id", nullable=True),
    _ref("decision_id", "decision.id", nullable=True),
    _ref("supersedes_id", "adjustment.id", nullable=True),
    sa.Column("made_ms", BIG, nullable=False),
    _at("made_at", default=True),
    sa.CheckConstraint(
        "kind IN ('postpone', 'pause', 'resume', 'extend', 'credit', 'end', 'reopen', 'undo')", name="kind"
    ),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name="scope"),
    sa.CheckConstraint(
        "(kind IN ('postpone', 'extend')) = (amount_ms IS NOT NULL) AND coalesce(amount_ms > 0, true)"
        " AND (kind IN ('credit', 'pause')) = (from_ms IS NOT NULL)"
        " AND (kind IN ('credit', 'resume')) = (to_ms IS NOT NULL)"
        " AND (kind <> 'credit' OR to_ms >= from_ms)"
        " AND (kind IN ('resume', 'undo')) = (refers_id IS NOT NULL)",
        name="shape",
    ),
    sa.Index("uq_adjustment_source", "attempt_id", "source", unique=True),
    sa.Index(
        "uq_adjustment_scope_source",
        "session_id",
        "source",
        unique=True,
        postgresql_where=sa.text("attempt_id IS NULL"),
    ),
)

# Whom an entry is about, written with it and never again. An entry that names its attempt gets its row by a trigger, so
# that an older release beside this one leaves none without.
adjustment_attempt = sa.Table(
    "adjustment_attempt",
    metadata,
    sa.Column("adjustment_id", BIG, sa.ForeignKey("adjustment.id"), primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True, index=True),
)

# What the evidence, or an invigilator, asks the office to decide.
proposal = sa.Table(
    "proposal",
    metadata,
    _id(),
    _ref("session_id", "session.id"),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("scope", TEXT, nullable=False),
    sa.Column("scope_names", JSONB, nullable=False, server_default=EMPTY_LIST),
    sa.Column("from_ms", BIG),
    sa.Column("to_ms", BIG),
    sa.Column("evidence", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    sa.Column("state", TEXT, nullable=False, server_default="open"),
    _ref("adjustment_id", "adjustment.id", nullable=True),
    sa.Column("made_ms", BIG, nullable=False),
    _at("made_at", default=True),
    _ref("proposed_by", "staff.id", nullable=True),
    _ref("decided_by", "staff.id", nullable=True),
    sa.Column("decided_ms", BIG),
    sa.Column("note", TEXT, nullable=False, server_default=""),
    sa.CheckConstraint(
        "kind IN ('room-loss', 'building-loss', 'site-loss', 'relog-surplus', 'outage-credit', 'asked', 'follows',"
        " 'shorten')",
        name="kind",
    ),
    sa.CheckConstraint("scope IN ('site', 'building', 'room', 'list', 'candidate')", name="scope"),
    sa.CheckConstraint("state IN ('open', 'approved', 'changed', 'dismissed')", name="state"),
    sa.CheckConstraint("(decided_by IS NULL) = (decided_ms IS NULL)", name="decided"),
    sa.CheckConstraint("to_ms >= from_ms", name="interval"),
    sa.UniqueConstraint("session_id", "kind", "source"),
)

proposal_attempt = sa.Table(
    "proposal_attempt",
    metadata,
    sa.Column("proposal_id", BIG, sa.ForeignKey("proposal.id"), primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True, index=True),
)

# What a page is to tell its candidate, and when it did.
notice = sa.Table(
    "notice",
    metadata,
    _id(),
    _ref("session_id", "session.id", index=True),
    sa.Column("kind", TEXT, nullable=False),
    _ref("adjustment_id", "adjustment.id", nullable=True),
    sa.Column("zh", TEXT, nullable=False),
    sa.Column("en", TEXT, nullable=False),
    sa.Column("made_ms", BIG, nullable=False),
    _at("made_at", default=True),
)

notice_attempt = sa.Table(
    "notice_attempt",
    metadata,
    sa.Column("notice_id", BIG, sa.ForeignKey("notice.id"), primary_key=True),
    sa.Column("attempt_id", UUID(as_uuid=True), sa.ForeignKey("attempt.id"), primary_key=True),
    sa.Column("shown_ms", BIG),
    sa.Index("ix_notice_attempt_unshown", "attempt_id", postgresql_where=sa.text("shown_ms IS NULL")),
)

buffer_cursor = sa.Table(
    "buffer_cursor",
    metadata,
    sa.Column("lineage_n", BIG, sa.ForeignKey("lineage.n"), primary_key=True),
    # The last Redis stream entry whose batch is committed.
    sa.Column("entry", TEXT, nullable=False),
    _at("moved_at", default=True),
)

# --- staff ---

staff = sa.Table(
    "staff",
    metadata,
    _id(),
    sa.Column("username", TEXT, nullable=False, unique=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("role", TEXT, nullable=False),
    sa.Column("password_hash", TEXT, nullable=False),
    sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    # A password somebody else chose: good for one thing, to choose another.
    sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),
    _at("created_at", default=True),
    sa.CheckConstraint("role IN ('invigilator', 'chief', 'office', 'admin', 'auditor', 'inspector')", name="role"),
)

staff_room = sa.Table(
    "staff_room",
    metadata,
    sa.Column("staff_id", BIG, sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("room_id", BIG, sa.ForeignKey("room.id"), primary_key=True),
)

login = sa.Table(
    "login",
    metadata,
    # SHA-256 of the bearer token: the table alone signs nobody in.
    sa.Column("token_hash", BYTEA, primary_key=True),
    _ref("staff_id", "staff.id", index=True),
    _at("created_at", default=True),
    _at("expires_at", nullable=False),
    _at("revoked_at"),
    sa.Column("address", TEXT, nullable=False, server_default=""),
)

staff_request = sa.Table(
    "staff_request",
    metadata,
    sa.Column("staff_id", BIG, sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("idempotency_key", TEXT, primary_key=True),
    sa.Column("endpoint", TEXT, nullable=False),
    sa.Column("body_hash", BYTEA, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("reply", JSONB, nullable=False),
    _at("created_at", default=True),
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("n", BIG, primary_key=True, autoincrement=False),
    _at("at", nullable=False),
    sa.Column("service_ms", BIG),
    _ref("staff_id", "staff.id", nullable=True),
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("action", TEXT, nullable=False),
    sa.Column("subject", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    sa.Column("hash", BYTEA, nullable=False),
    # Asked for by candidate and room (whatever of the subject says which), by person and by time.
    sa.Index("ix_audit_entry_subject", "subject", postgresql_using="gin", postgresql_ops={"subject": "jsonb_path_ops"}),
    sa.Index("ix_audit_entry_staff_id", "staff_id"),
    sa.Index("ix_audit_entry_at", "at"),
    # What was done while an incident lasted.
    sa.Index("ix_audit_entry_service_ms", "service_ms"),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="single"), primary_key=True),
    sa.Column("n", BIG, nullable=False),
    sa.Column("hash", BYTEA, nullable=False),
)

# Tables whose rows never change once written; the migration gives each a trigger that says so.
IMMUTABLE = ("item_version", "response_history", "audit_entry", "adjustment", "adjustment_attempt", "term")
