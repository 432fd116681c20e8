"""The ledger of time: append-only, whom each entry is about, and the ends of attempts that follow from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.storage.postgres.engine import outage_ms_of


@dataclass(frozen=True, slots=True)
class Moved:
    """An attempt's clock as it was just stored: its own start, its end (None: not anchored, NEVER_MS: paused), what is
    left of a paused one (None: not paused), its stored state, the revision of its clock, and why it is so."""

    attempt: UUID
    start_ms: int | None
    end_ms: int | None
    left_ms: int | None
    state: str
    rev: int
    because: tuple[clock.Because, ...]


# --- entries ---


async def insert_entry(
    conn: AsyncConnection,
    kind: clock.Kind,
    *,
    session_id: int,
    members: Iterable[UUID],
    reason: str,
    source: str,
    now_ms: int,
    scope: str = "candidate",
    scope_names: Sequence[str] = (),
    room_id: int | None = None,
    attempt_id: UUID | None = None,
    from_ms: int | None = None,
    to_ms: int | None = None,
    amount_ms: int | None = None,
    refers_id: int | None = None,
    supersedes_id: int | None = None,
    note: str = "",
    incident: str = "",
    staff_id: int | None = None,
    decision_id: int | None = None,
) -> int | None:
    """Write one entry with everybody it is about; its id, or None when this ``source`` has been entered before.

    ``attempt_id`` is for an entry of the service about one attempt: ``source`` is then unique for that attempt and
    ``members`` is not looked at; otherwise it is unique in the session. Nothing moves before ``settle``.
    """
    entered = await conn.scalar(
        text(
            "INSERT INTO adjustment (kind, session_id, scope, scope_names, room_id, attempt_id, from_ms, to_ms,"
            " amount_ms, refers_id, supersedes_id, reason, note, incident, source, staff_id, decision_id, made_ms)"
            " VALUES (:kind, :session_id, :scope, CAST(:scope_names AS jsonb), :room_id, :attempt_id, :from_ms, :to_ms,"
            " :amount_ms, :refers_id, :supersedes_id, :reason, :note, :incident, :source, :staff_id, :decision_id,"
            " :now)"
            " ON CONFLICT DO NOTHING RETURNING id"
        ),
        {
            "kind": kind, "session_id": session_id, "scope": scope,
            "scope_names": json.dumps(list(scope_names), ensure_ascii=False), "room_id": room_id,
            "attempt_id": attempt_id, "from_ms": from_ms, "to_ms": to_ms, "amount_ms": amount_ms,
            "refers_id": refers_id, "supersedes_id": supersedes_id, "reason": reason, "note": note,
            "incident": incident, "source": source, "staff_id": staff_id, "decision_id": decision_id, "now": now_ms,
        },
    )  # fmt: skip
    if entered is not None and attempt_id is None:
        await conn.execute(
            text(
                "INSERT INTO adjustment_attempt (adjustment_id, attempt_id)"
                " SELECT :entry, m.id FROM unnest(CAST(:members AS uuid[])) AS m(id) ORDER BY m.id"
            ),
            {"entry": entered, "members": sorted(set(members))},
        )
    return None if entered is None else int(entered)


async def members(conn: AsyncConnection, adjustment_id: int) -> list[UUID]:
    """Whom an entry is about, in order of id."""
    rows = await conn.scalars(
        text("SELECT attempt_id FROM adjustment_attempt WHERE adjustment_id = :entry ORDER BY attempt_id"),
        {"entry": adjustment_id},
    )
    return list(rows)


# --- ledgers ---


async def load(
    conn: AsyncConnection, attempt_ids: Collection[UUID], *, outage_ms: int | None = None
) -> dict[UUID, clock.Ledger]:
    """Everything that decides the time of these attempts, with their sessions' outages of at least ``outage_ms``
    (None: ``handover_gap``). Those with the same ledger share one object: a hall has a handful of different ones."""
    rows = await conn.execute(
        text(
            "SELECT a.id, a.allotted_ms, s.start_ms FROM attempt a JOIN session s ON s.id = a.session_id"
            " WHERE a.id = ANY(:attempts)"
        ),
        {"attempts": list(attempt_ids)},
    )
    attempts = rows.all()
    entries = await _entries(conn, attempt_ids)
    begins = [row.start_ms for row in attempts if row.start_ms is not None]
    least_ms = outage_ms_of(conn) if outage_ms is None else outage_ms
    outages = await _outages(conn, min(begins), least_ms) if begins else ()
    found: dict[UUID, clock.Ledger] = {}
    made: dict[tuple[int | None, int, int], clock.Ledger] = {}
    for attempt, allotted_ms, start_ms in attempts:
        mine = entries.get(attempt, _NONE)
        key = (start_ms, allotted_ms, id(mine))
        if key not in made:
            # A postponement of everybody has moved the session's start itself.
            begins_ms = None if start_ms is None else start_ms - _postponed(mine, site=True)
            made[key] = clock.Ledger(begins_ms, allotted_ms, mine, outages)
        found[attempt] = made[key]
    return found


_NONE: tuple[clock.Entry, ...] = ()


async def _entries(conn: AsyncConnection, attempt_ids: Collection[UUID]) -> Mapping[UUID, tuple[clock.Entry, ...]]:
    """Each entry is read once, however many attempts it is about; so is each list of entries, however many have it."""
    groups = await conn.execute(
        text(
            # An entry belongs to one session: whoever goes to another one before their start leaves it behind.
            "SELECT entries, array_agg(attempt_id) AS attempts FROM ("
            " SELECT m.attempt_id, array_agg(m.adjustment_id ORDER BY m.adjustment_id) AS entries"
            " FROM adjustment_attempt m JOIN attempt a ON a.id = m.attempt_id"
            " JOIN adjustment x ON x.id = m.adjustment_id AND x.session_id = a.session_id"
            " WHERE m.attempt_id = ANY(:attempts) GROUP BY m.attempt_id) g GROUP BY entries"
        ),
        {"attempts": list(attempt_ids)},
    )
    about = [(row.entries, row.attempts) for row in groups]
    if not about:
        return {}
    rows = await conn.execute(
        text(
            "SELECT id, kind, from_ms, to_ms, amount_ms, refers_id, reason, note, made_ms, supersedes_id, scope"
            " FROM adjustment WHERE id = ANY(:entries)"
        ),
        {"entries": sorted({entry for entries, _ in about for entry in entries})},
    )
    made = {row.id: clock.Entry(*row) for row in rows}
    found: dict[UUID, tuple[clock.Entry, ...]] = {}
    for entries, attempts in about:
        mine = tuple(made[entry] for entry in entries)
        found.update(dict.fromkeys(attempts, mine))
    return found


async def _outages(conn: AsyncConnection, since_ms: int, outage_ms: int) -> tuple[clock.Outage, ...]:
    rows = await conn.execute(
        text(
            "SELECT start_ms, gap_ms FROM term WHERE start_ms >= :since AND gap_ms >= :least AND gap_ms > 0 ORDER BY n"
        ),
        {"since": since_ms, "least": outage_ms},
    )
    return tuple(clock.Outage(row.start_ms, row.gap_ms) for row in rows)


def _postponed(entries: Iterable[clock.Entry], *, site: bool) -> int:
    return sum(
        entry.amount_ms or 0
        for entry in clock.live(entries)
        if entry.kind == "postpone" and (entry.scope == "site") == site
    )


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """What follows from one ledger, as it is stored."""

    start_ms: int | None
    end_ms: int | None
    left_ms: int | None
    postponed_ms: int
    because: tuple[clock.Because, ...]


def _reckon(ledger: clock.Ledger, now_ms: int) -> _Reckoned:
    end_ms = clock.end_ms(ledger, now_ms)
    paused = end_ms is None and clock.paused_since(ledger, now_ms) is not None
    return _Reckoned(
        start_ms=clock.start_ms(ledger),
        end_ms=None if ledger.start_ms is None else clock.NEVER_MS if end_ms is None else end_ms,
        left_ms=clock.remaining_ms(ledger, now_ms) if paused else None,
        postponed_ms=_postponed(ledger.entries, site=False),
        because=tuple(clock.because(ledger, now_ms)),
    )


async def settle(
    conn: AsyncConnection,
    attempt_ids: Collection[UUID],
    now_ms: int,
    *,
    ledgers: Mapping[UUID, clock.Ledger] | None = None,
) -> list[Moved]:
    """Store what follows from the ledger for these attempts, in one statement; in order of id.

    The rows are locked by the caller, ordered by id, so that what is stored always follows from the ledger beside it.
    Each one's ``clock_rev`` moves even where its end does not: there is something to tell. ``ledgers``: those the
    caller has under the locks already, with what it has just entered; the others are read.
    """
    if not attempt_ids:
        return []
    mine = {attempt: ledgers[attempt] for attempt in attempt_ids if ledgers is not None and attempt in ledgers}
    missing = [attempt for attempt in attempt_ids if attempt not in mine]
    if missing:
        mine |= await load(conn, missing)
    # The rows are locked meanwhile, and whoever has the same ledger has the same object.
    reckoned = {id(ledger): _reckon(ledger, now_ms) for ledger in {id(one): one for one in mine.values()}.values()}
    ids = sorted(mine)
    follows = [reckoned[id(mine[attempt])] for attempt in ids]
    rows = await conn.execute(
        text(
            # Who has ended is not paused any more, whatever still holds the room.
            "UPDATE attempt a SET end_ms = q.end_ms, postponed_ms = q.postponed_ms, clock_rev = a.clock_rev + 1,"
            " left_ms = CASE WHEN a.state = 'open' THEN q.left_ms END"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:ends AS int8[]),"
            " CAST(:left AS int8[]), CAST(:postponed AS int8[])) AS q(id, end_ms, left_ms, postponed_ms)"
            " WHERE a.id = q.id RETURNING a.id, a.end_ms, a.left_ms, a.state, a.clock_rev"
        ),
        {
            "ids": ids,
            "ends": [one.end_ms for one in follows],
            "left": [one.left_ms for one in follows],
            "postponed": [one.postponed_ms for one in follows],
        },
    )
    moved = []
    for attempt, end_ms, left_ms, state, rev in rows:
        one = reckoned[id(mine[attempt])]
        moved.append(Moved(attempt, one.start_ms, end_ms, left_ms, state, rev, one.because))
    return sorted(moved, key=lambda one: one.attempt)


async def touch(conn: AsyncConnection, attempt_ids: Collection[UUID]) -> None:
    """Move ``clock_rev`` of attempts about which something was entered that moves nothing of theirs: they are over.
    Rows locked by the caller. Whoever planned from what was known of them before sees that it was not all."""
    if attempt_ids:
        await conn.execute(
            text("UPDATE attempt SET clock_rev = clock_rev + 1 WHERE id = ANY(CAST(:a AS uuid[]))"),
            {"a": sorted(attempt_ids)},
        )


async def credit(
    conn: AsyncConnection,
    attempt: UUID,
    *,
    session_id: int,
    from_ms: int,
    to_ms: int,
    reason: str,
    source: str,
    now_ms: int,
    staff_id: int | None = None,
) -> bool:
    """Enter an uncharged interval of one attempt and move its end; False when this source has entered it before. Row
    locked by the caller."""
    entered = await insert_entry(
        conn,
        "credit",
        session_id=session_id,
        members=[attempt],
        attempt_id=attempt,
        from_ms=from_ms,
        to_ms=max(from_ms, to_ms),
        reason=reason,
        source=source,
        now_ms=now_ms,
        staff_id=staff_id,
    )
    if entered is None:
        return False
    await settle(conn, [attempt], now_ms)
    return True
