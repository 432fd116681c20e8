"""Writing a decision on rounds: everything in the caller's transaction, the rows locked before.

1. Moves to other seats that are open are withdrawn; attempts that have been seen end as deferred (I9, step one).
2. Unseen papers that are replaced are taken away. Allocations go, attempts that never began along with them.
3. Whoever leaves a closed attempt behind, or had none, gets one; then the new papers with their draws.
4. A page that waits at the old seat is fenced: nobody holds the new epoch until the candidate signs in again.
5. Clocks follow from the ledger; the notices and the decision are entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import lease
from app.domain import papers as domain
from app.domain.round_picture import Move
from app.services import round_words
from app.services.round_papers import Drawn, Papers
from app.services.round_snapshot import Known
from app.storage.postgres import adjustments, attempts, candidates, notices, rounds
from app.storage.postgres import papers as store


@dataclass(frozen=True, slots=True)
class Decision:
    """``number`` and ``words`` of the office's decision, and who confirmed it."""

    number: str
    words: str
    staff_id: int


@dataclass(frozen=True, slots=True)
class Written:
    """``told``: the pages that hear of it, with their notice ``{id, kind, zh, en}``; ``left``: those that wait for a
    session their candidate no longer sits."""

    decision_id: int
    told: Mapping[UUID, Mapping[str, Any]]
    left: frozenset[UUID]


async def write(
    conn: AsyncConnection,
    known: Known,
    papers: Papers,
    decision: Decision,
    *,
    seed: str,
    epochs: Mapping[UUID, int],
    lineage_n: int,
    now_ms: int,
) -> Written:
    """``epochs``: the newest epoch known of each attempt whose page must be fenced."""
    plan = known.plan
    closed = {each.attempt.id for each in plan.closes if each.attempt is not None}
    goers = [move for move in plan.moves if not move.sitter.stays_closed]
    along = {move.sitter.attempt.id: move for move in goers if move.sitter.attempt is not None}
    await rounds.withdraw_relogs(conn, closed | along.keys(), now_ms)
    for attempt in sorted(closed):
        end_ms = known.attempts[attempt]["end_ms"]
        await attempts.end(conn, attempt, ended_ms=now_ms if end_ms is None else min(now_ms, end_ms), reason="deferred")
    replaced = {m.sitter.attempt.id for each in papers.drawn for m in each.moves if m.sitter.attempt is not None}
    await rounds.remove_papers(conn, replaced & along.keys())
    await rounds.go(conn, [_going(known, move) for move in goers])
    ids = {(move.sitter.candidate_id, move.to): attempt for attempt, move in along.items()}
    ids |= await _new_attempts(conn, known, papers)
    for drawn in papers.drawn:
        await _store(conn, drawn, ids, seed)
    left = frozenset(epochs) & along.keys()
    await rounds.fence(
        conn,
        {attempt: lease.next_epoch(lineage_n, epochs[attempt]) for attempt in left},
        {attempt: along[attempt].seat.id for attempt in left},
        now_ms,
    )
    await adjustments.settle(conn, sorted({*closed, *ids.values()}), now_ms)
    told = await _notify(conn, known, closed, {attempt: along[attempt].to for attempt in left}, now_ms)
    decision_id = await rounds.decide(
        conn,
        exam_id=known.exam["exam_id"],
        session_id=plan.session,
        kind="move" if plan.kind == "allocate" else plan.kind,
        number=decision.number,
        words=decision.words,
        staff_id=decision.staff_id,
        now_ms=now_ms,
        detail=detail(known),
        attempts={*closed, *ids.values()},
    )
    return Written(decision_id, told, left)


def detail(known: Known) -> dict[str, object]:
    """``decision.detail``: what was asked, and for everybody from where to where."""
    plan = known.plan
    return {
        "action": plan.kind,
        "session": plan.session,
        "other": plan.other,
        "moves": [[m.sitter.ticket, m.sitter.session_id, m.sitter.seat.id, m.to, m.seat.id] for m in plan.moves],
        "closed": sorted(each.ticket for each in plan.closes),
    }


def _allotted_ms(known: Known, move: Move) -> int:
    return int(known.sessions[move.to]["duration_ms"]) + move.sitter.extra_ms


def _end_ms(known: Known, move: Move) -> int | None:
    start_ms = known.sessions[move.to]["start_ms"]
    return None if start_ms is None else int(start_ms) + _allotted_ms(known, move)


def _going(known: Known, move: Move) -> rounds.Going:
    sitter = move.sitter
    return rounds.Going(
        candidate_id=sitter.candidate_id,
        from_id=sitter.session_id,
        to_id=move.to,
        seat_id=move.seat.id,
        attempt_id=None if sitter.attempt is None else sitter.attempt.id,
        allotted_ms=_allotted_ms(known, move),
        end_ms=_end_ms(known, move),
    )


async def _new_attempts(conn: AsyncConnection, known: Known, papers: Papers) -> dict[tuple[int, int], UUID]:
    """Attempts beside those that stay closed, and for people who had none; (candidate, session) → id."""
    behind = [move for move in known.plan.moves if move.sitter.stays_closed]
    await candidates.add_allocations(
        conn,
        [
            {
                "session_id": move.to,
                "candidate_id": move.sitter.candidate_id,
                "seat_id": move.seat.id,
                "planned_seat_id": move.seat.id,
            }
            for move in behind
        ],
    )
    bare = [m for each in papers.drawn for m in each.moves if m.sitter.attempt is None or m.sitter.stays_closed]
    made = [
        store.AttemptRow(uuid4(), m.to, m.sitter.candidate_id, _allotted_ms(known, m), _end_ms(known, m)) for m in bare
    ]
    await store.copy_attempts(conn, made)
    return {(row.candidate_id, row.session_id): row.id for row in made}


async def _store(conn: AsyncConnection, drawn: Drawn, ids: Mapping[tuple[int, int], UUID], seed: str) -> None:
    draw_id = await store.add_draw(
        conn,
        drawn.session,
        seed=seed,
        spec=drawn.spec,
        papers=len(drawn.papers),
        digest=domain.digest(drawn.papers),
    )
    version = {number: row["version_id"] for number, row in drawn.bank.items()}
    owners = [ids[move.sitter.candidate_id, drawn.session] for move in drawn.moves]
    await store.copy_papers(
        conn,
        [
            store.PaperRow(owner, draw_id, drawn.count, body.gzip, body.etag)
            for owner, body in zip(owners, drawn.bodies, strict=True)
        ],
    )
    await store.copy_paper_items(
        conn,
        (
            store.PaperItemRow(owner, position, version[entry.number], entry.order, entry.points_milli)
            for owner, paper in zip(owners, drawn.papers, strict=True)
            for position, entry in enumerate(paper.entries, start=1)
        ),
    )


async def _notify(
    conn: AsyncConnection, known: Known, closed: set[UUID], left: Mapping[UUID, int], now_ms: int
) -> dict[UUID, Mapping[str, Any]]:
    """A notice for every page that may be open, one text for each new session; attempt → notice."""
    goes = {m.sitter.attempt.id: m.to for m in known.plan.moves if m.sitter.attempt is not None}
    groups: dict[tuple[int, int | None], list[UUID]] = {}
    for attempt in sorted(closed):
        if known.attempts[attempt]["epoch"]:
            groups.setdefault((known.plan.session, goes.get(attempt)), []).append(attempt)
    for attempt, stays in sorted(left.items()):
        groups.setdefault((stays, stays), []).append(attempt)
    told: dict[UUID, Mapping[str, Any]] = {}
    for (session_id, target), members in groups.items():
        zh, en = round_words.notice(known, target)
        notice_id = await notices.create(conn, session_id, "notice", None, zh, en, members, now_ms)
        told |= {each: {"id": notice_id, "kind": "notice", "zh": zh, "en": en} for each in members}
    return told
