"""How responses merge (I4) and which writes count (I5, I9): the model that the SQL of the writer is tested against.

Merge is a join on a lattice: per item the greatest ``(epoch, rev, adopt_n, sha256(value))`` stays. That makes it
commutative, associative and idempotent, so any replay, order or mixture of stores ends in one state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Value = object
Reason = Literal["old_epoch", "late", "ended", "final"]

# A change typed just before a contact may be sent with the next one (debounce); it was not held back on purpose.
LATE_TOLERANCE_MS = 2_000


def canonical(value: Value) -> bytes:
    """The one byte form of a JSON value: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def value_hash(value: Value) -> bytes:
    """SHA-256 of the canonical value, 32 bytes: the last word between two equal revisions."""
    return hashlib.sha256(canonical(value)).digest()


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The order of responses to one item; greater wins."""

    epoch: int
    rev: int
    adopt_n: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Response:
    item: int
    version: Version
    value: Value
    at_ms: int = 0


def merge(state: Mapping[int, Response], incoming: Iterable[Response]) -> dict[int, Response]:
    """The state after ``incoming``, whatever its order and however often it is repeated."""
    merged = dict(state)
    for response in incoming:
        current = merged.get(response.item)
        if current is None or response.version > current.version:
            merged[response.item] = response
    return merged


@dataclass(frozen=True, slots=True)
class Register:
    """Position and marks: the greatest ``(epoch, seq)`` stays."""

    epoch: int
    seq: int
    value: Value

    def join(self, other: Register) -> Register:
        return max(self, other, key=lambda register: (register.epoch, register.seq))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a write is judged against: the attempt's locked row."""

    epoch: int
    state: Literal["open", "ended", "final"]
    ended_ms: int | None = None
    # Service time of the last acknowledged contact before the attempt's end: what came after it is no evidence.
    contact_ms: int | None = None
    # Service time at which each epoch after the write's own was granted.
    next_grant_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    epoch: int
    stamp_ms: int
    # True for what was acknowledged `buffered` and comes out of the buffer now.
    buffered: bool = False


def strand(standing: Standing, write: Write, at_ms: int) -> Reason | None:
    """Why a response is kept aside instead of applied; None when it is applied.

    1. A live write counts only under the live epoch: the row is locked, so a relog that committed first is seen.
    2. A buffered write is judged by its stamp: given before the next epoch's grant, or before the end, it counts,
       however late it is drained (DESIGN §4.6).
    3. After the end a live write counts if it was typed before the end and its device had no acknowledged contact in
       between, in which it would have sent it.
    4. After `final` nothing is applied any more.
    """
    if write.epoch != standing.epoch:
        granted = standing.next_grant_ms
        before_grant = granted is not None and write.stamp_ms < granted
        if not (write.buffered and write.epoch < standing.epoch and before_grant):
            return "old_epoch"
    if standing.state == "final":
        return "final"
    if standing.state == "ended":
        ended = standing.ended_ms
        assert ended is not None  # noqa: S101 -- a check constraint of the attempt table
        if write.buffered and write.stamp_ms <= ended:
            return None
        if at_ms >= ended:
            return "ended"
        if standing.contact_ms is not None and standing.contact_ms > at_ms + LATE_TOLERANCE_MS:
            return "late"
    return None
