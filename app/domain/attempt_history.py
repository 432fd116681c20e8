"""The history of one attempt, told from the record: everything that was received, by whom, and when.

``events`` is a pure function of one snapshot. Instants are service time in milliseconds; ``wall`` says what the clock
on the wall showed, as far as the terms know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal, get_args

from app.domain.attempt_record import PaperItem, Snapshot, Term
from app.domain.chain import Revision
from app.domain.responses import Response, Value, Version, merge

Kind = Literal[
    "start", "outage", "relog", "relog_withdrawn", "sign_in", "adjustment", "decision", "revision", "stranded",
    "quiet", "silent", "end", "final",
]  # fmt: skip
# Of what happened in the same millisecond, what leads to the other comes first: the order of the list.
_RANK = {kind: n for n, kind in enumerate(get_args(Kind))}


@dataclass(frozen=True, slots=True)
class Event:
    """``facts`` by kind: see ``events``; a name that ends in ``_ms`` is an instant of service time or a length."""

    at_ms: int
    kind: Kind
    facts: Mapping[str, Any]


def wall(terms: Sequence[Term], at_ms: int) -> datetime | None:
    """What the wall clock showed at service time ``at_ms``: that of the term it fell into, None before the first.

    Within a term the counter follows a monotonic clock and may only stand, never run ahead: the true wall time is this
    or, after a stall inside the term, a little later.
    """
    began = [term for term in terms if term.start_ms <= at_ms]
    if not began:
        return None
    last = max(began, key=lambda term: term.n)
    return last.started_at + timedelta(milliseconds=at_ms - last.start_ms)


def shown(value: Value, item: PaperItem | None) -> str:
    """``value`` as it stood on this candidate's screen: letters by place for choices, the text itself otherwise."""
    if value is None:
        return ""
    if item is not None and item.order and item.type in ("single", "multiple"):
        picked = value if isinstance(value, list) else [value]
        places = [item.order.find(option) if isinstance(option, str) and len(option) == 1 else -1 for option in picked]
        if -1 not in places:
            return "、".join(chr(ord("A") + place) for place in sorted(places))
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def counting(revisions: Sequence[Revision]) -> dict[int, Version]:
    """The version that counts, per item: the model's merge over the whole history."""
    return {item: one.version for item, one in merge({}, (revision.response for revision in revisions)).items()}


def events(snapshot: Snapshot, *, quiet_ms: int, outage_ms: int) -> list[Event]:
    """Everything that happened, in service time.

    ``quiet_ms``: a stretch without any recorded answer is told from this length on. Heartbeats are not kept one by
    one, so quiet is not silence; the last contact of any kind before the end is kept, and what follows it is
    ``silent``. ``outage_ms``: gaps of service shorter than this are a change of leader and not told.
    """
    standing = snapshot.standing
    seats = {lease.epoch: lease.seat for lease in snapshot.leases}
    told = [
        *_of_the_place(snapshot, outage_ms),
        *_of_revisions(snapshot, seats),
        *_of_asides(snapshot, seats),
        *_quiet(snapshot, quiet_ms),
    ]
    if standing.ended_ms is not None:
        told.append(Event(standing.ended_ms, "end", {"reason": standing.end_reason}))
    if standing.final_ms is not None:
        receipt = dict(standing.receipt or {})
        facts = {key: receipt.get(key) for key in ("count", "links", "answered", "total", "answers_hash", "chain")}
        told.append(Event(standing.final_ms, "final", facts))
    return sorted(told, key=_order)


def _order(event: Event) -> tuple[int, int, int, int]:
    """By time; of one instant by what leads to what; of one link by the place on the paper."""
    return event.at_ms, _RANK[event.kind], event.facts.get("link") or 0, event.facts.get("position") or 0


def _of_the_place(snapshot: Snapshot, outage_ms: int) -> list[Event]:
    told = []
    if snapshot.start_ms is not None:
        told.append(Event(snapshot.start_ms, "start", {"session": snapshot.session_name}))
    first = min((lease.granted_ms for lease in snapshot.leases), default=None)
    over = snapshot.standing.final_ms
    for term in snapshot.terms:
        within = first is not None and term.start_ms >= first and (over is None or term.start_ms <= over)
        if within and term.gap_ms >= outage_ms:
            told.append(Event(term.start_ms, "outage", {"term": term.n, "gap_ms": term.gap_ms}))
    for lease in snapshot.leases:
        facts = {"epoch": lease.epoch, "seat": lease.seat, "device": lease.device, "address": lease.address}
        told.append(Event(lease.granted_ms, "sign_in", {**facts, "until_ms": lease.revoked_ms}))
    for relog in snapshot.relogs:
        facts = {"from": relog.from_seat, "to": relog.to_seat, "by": relog.by}
        told.append(Event(relog.opened_ms, "relog", {**facts, "reason": relog.reason, "state": relog.state}))
        if relog.state == "withdrawn" and relog.closed_ms is not None:
            told.append(Event(relog.closed_ms, "relog_withdrawn", facts))
    for made in snapshot.adjustments:
        ms = made.amount_ms
        if made.kind == "credit":
            ms = (made.to_ms or 0) - (made.from_ms or 0)
        facts = {"kind": made.kind, "of": made.of_kind, "scope": made.scope, "ms": ms, "reason": made.reason}
        span = {"from_ms": made.from_ms, "to_ms": made.to_ms}
        told.append(Event(made.made_ms, "adjustment", {**facts, **span, "note": made.note, "by": made.by}))
    return told


def _answer(snapshot: Snapshot, response: Response, seats: Mapping[int, str]) -> dict[str, Any]:
    item = snapshot.paper.get(response.item)
    return {
        "item": response.item,
        "position": None if item is None else item.position,
        "value": response.value,
        "shown": shown(response.value, item),
        "rev": response.version.rev,
        "epoch": response.version.epoch,
        # An adopted answer took the place of another one, whose epoch says nothing of where it came from.
        "seat": None if response.version.adopt_n else seats.get(response.version.epoch),
        "typed_ms": response.at_ms,
    }


def _of_revisions(snapshot: Snapshot, seats: Mapping[int, str]) -> list[Event]:
    counts = counting(snapshot.revisions)
    # An adopted revision keeps the stamp of its arrival; it counts since somebody decided so.
    decided = {
        (one.response.item, one.response.version.hash): one.decided_ms
        for one in snapshot.stranded
        if one.state == "adopted" and one.decided_ms is not None
    }
    return [
        Event(
            _since(revision, decided),
            "revision",
            {
                **_answer(snapshot, revision.response, seats),
                "adopted": revision.response.version.adopt_n,
                "stamp_ms": revision.stamp_ms,
                "link": revision.link,
                "seq": revision.seq,
                "late": revision.late,
                "status": "durable",
                "counts": counts[revision.response.item] == revision.response.version,
            },
        )
        for revision in snapshot.revisions
    ]


def _since(revision: Revision, decided: Mapping[tuple[int, bytes], int]) -> int:
    version = revision.response.version
    if not version.adopt_n:
        return revision.stamp_ms
    return decided.get((revision.response.item, version.hash), revision.stamp_ms)


def _of_asides(snapshot: Snapshot, seats: Mapping[int, str]) -> list[Event]:
    told = []
    for aside in snapshot.stranded:
        answer = _answer(snapshot, aside.response, seats)
        told.append(Event(aside.stamp_ms, "stranded", {**answer, "reason": aside.reason, "decision": aside.state}))
        if aside.decided_ms is not None:
            decision = {"decision": aside.state, "by": aside.by, "note": aside.note}
            told.append(Event(aside.decided_ms, "decision", {**answer, **decision}))
    return told


def _quiet(snapshot: Snapshot, quiet_ms: int) -> list[Event]:
    """Stretches between two things that the candidate's devices are known to have done, and the silence at the end."""
    standing = snapshot.standing
    known = {lease.granted_ms for lease in snapshot.leases}
    if not known:
        return []
    # What the office adopted came from the office.
    known |= {one.stamp_ms for one in snapshot.revisions if not one.response.version.adopt_n}
    known |= {aside.stamp_ms for aside in snapshot.stranded}
    if standing.contact_ms is not None:
        known.add(standing.contact_ms)
    until = standing.ended_ms
    # Before the start there is nothing to answer.
    begin = max(min(known), snapshot.start_ms or 0)
    moments = sorted({begin} | {at for at in known if at > begin and (until is None or at <= until)})
    told = [
        Event(before, "quiet", {"to_ms": after, "ms": after - before})
        for before, after in pairwise(moments)
        if after - before >= quiet_ms
    ]
    if until is not None and until - moments[-1] >= quiet_ms:
        told.append(Event(moments[-1], "silent", {"to_ms": until, "ms": until - moments[-1]}))
    return told
