"""The shapes of what a candidate's browser is told, for the OpenAPI document.

The calls themselves build plain dictionaries, because the checkpoint is the hot path; ``tests/api/test_openapi.py``
holds real replies to these shapes, field by field.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

State = Literal["waiting", "running", "paused", "ended", "final"]
Value = str | list[str] | None


class Because(Struct):
    """One summand of the end time, in words."""

    kind: Literal["planned", "postpone", "extend", "pause", "credit", "outage"]
    ms: int
    text_zh: str
    text_en: str


class Clock(Struct):
    """``service_ms`` is service time; ``ends_at`` is a wall clock and for people only."""

    service_ms: int
    remaining_ms: int
    state: State
    starts_in_ms: int | None
    ends_at: str | None
    because: list[Because]


class CandidateCard(Struct):
    name: str
    ticket: str
    gender: str
    specialty: str
    id_masked: str


class ExamCard(Struct):
    name: str


class SessionCard(Struct):
    number: int
    name: str
    planned_start: str
    duration_ms: int
    earliest_hand_in_ms: int


class SeatCard(Struct):
    building: str
    room: str
    room_number: str
    seat: str


class SignedIn(Struct):
    token: str
    device_id: str
    lease_secret: str
    attempt_id: str
    epoch: int
    lineage: str
    next_seq: int
    candidate: CandidateCard
    exam: ExamCard
    session: SessionCard
    seat: SeatCard
    servers: list[str]
    clock: Clock
    state: State


class Receipt(Struct):
    """``service_ms`` and ``ended_ms`` are service time; ``handed_in_at`` is a wall clock.

    ``chain`` is the head of the attempt's hash chain in hex, ``links`` and ``count`` its links and revisions;
    ``reason`` is how the attempt ended, in receipts since there is more than one way.
    """

    count: int
    answered: int
    total: int
    handed_in_at: str
    service_ms: int
    ended_ms: int
    answers_hash: str
    chain: str
    links: int
    ticket: str
    name: str
    session: str
    seat: str
    reason: Literal["hand_in", "time_out", "forced", "deferred"] | UnsetType = UNSET


class ResponseTold(Struct):
    epoch: int
    rev: int
    value: Value
    status: Literal["durable"]


class StrandedTold(Struct):
    item: int
    value: Value
    reason: Literal["old_epoch", "late", "ended", "final"]


class AttemptTold(Struct):
    """``responses`` by item; ``on_leave``: out of the room, the question is hidden, as the notice ``leave_notice`` said
    (0: none did)."""

    attempt_id: str
    lineage: str
    epoch: int
    state: State
    clock: Clock
    position: int
    marked: list[int]
    responses: dict[str, ResponseTold]
    stranded: list[StrandedTold]
    count: int
    acked_seq: int
    next_seq: int
    elapsed_ms: int
    candidate: CandidateCard
    exam: ExamCard
    session: SessionCard
    seat: SeatCard
    on_leave: bool
    leave_notice: int
    receipt: Receipt | None


class OptionTold(Struct):
    id: str
    text: str
    media: str | None


class ItemTold(Struct):
    """``options`` in this candidate's order; ``blanks`` only for fill-in items."""

    item: int
    type: Literal["single", "multiple", "true_false", "blank", "text"]
    stem: str
    media: list[str]
    position: int
    points: float
    options: list[OptionTold]
    blanks: int | UnsetType = UNSET


class SectionTold(Struct):
    title: str
    items: list[ItemTold]


class PaperTold(Struct):
    """``paper`` is also its ETag."""

    paper: str
    sections: list[SectionTold]


class ReadyTold(Struct):
    clock: Clock
    gap_ms: int


class ItemAnswer(Struct):
    """``code`` says why a response is stranded or refused."""

    item: int
    rev: int
    status: Literal["durable", "buffered", "stranded", "refused"]
    code: str | UnsetType = UNSET


class NoticeTold(Struct):
    """What the exam office did, in words; ``kind`` is that of the adjustment, or `notice`."""

    id: int
    kind: str
    zh: str
    en: str


class TimeTold(Struct):
    """Where an end comes from: its summands, and one line in words."""

    lines: list[Because]
    explain_zh: str
    explain_en: str


class EventReceiptsTold(Struct):
    pass


class CheckpointTold(Struct):
    """``durability`` is that of the weakest response; ``count`` is null while PostgreSQL is away and Redis forgot."""

    acked_seq: int
    durability: Literal["durable", "buffered", "stranded"]
    items: list[ItemAnswer]
    count: int | None
    lineage: str
    epoch: int
    copies: int
    notices: list[NoticeTold]
    clock: Clock
    state: State


class HandInTold(Struct):
    """``receipt`` is null while the answers are only buffered: ask again. A repeat tells it without the counters."""

    durability: Literal["durable", "buffered", "stranded"]
    items: list[ItemAnswer]
    clock: Clock
    state: State
    receipt: Receipt | None
    acked_seq: int | UnsetType = UNSET
    count: int | UnsetType | None = UNSET
    lineage: str | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    copies: int | UnsetType = UNSET
    notices: list[NoticeTold] | UnsetType = UNSET


class EmptyTold(Struct):
    seq: int
    epoch: int
    items: int


class Problem(Struct):
    """RFC 9457. ``detail`` is in the language of the request; what fills its blanks stands beside these fields."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    detail_zh: str
    detail_en: str
    retry_after: int | UnsetType = UNSET
    items: list[ItemAnswer] | UnsetType = UNSET
    clock: Clock | UnsetType = UNSET


class ReadyzTold(Struct):
    """``service_ms`` is null while this process has no confirmed service time.

    ``buffered`` is how many checkpoints wait to be drained (null: Redis does not say), ``queue`` how many wait for a
    batch, ``disk_free_mb`` null where the database is not embedded. Of a store that takes no writes: why in one word,
    and for how many seconds.
    """

    ready: bool
    postgres: bool
    redis: bool
    service_ms: int | None
    buffered: int | None
    queue: int
    shedding: bool
    disk_free_mb: int | None
    postgres_why: str | UnsetType = UNSET
    postgres_away_s: int | UnsetType = UNSET
    redis_why: str | UnsetType = UNSET
    redis_away_s: int | UnsetType = UNSET


class RoleTold(Struct):
    role: Literal["leader", "buffered-only", "standby"]
