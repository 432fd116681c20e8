"""Notices to the candidates' pages, and which page has shown which.

A notice is written once, with everybody it is for, in the transaction of what it tells. A page that has put it before
its candidate says so; ``shown_ms`` is the first time it did, and is never taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Notices one page is shown at once; of the rest only the newest say anything that still holds.
MOST = 5


async def create(
    conn: AsyncConnection,
    session_id: int,
    kind: str,
    adjustment_id: int | None,
    zh: str,
    en: str,
    attempts: Iterable[UUID],
    now_ms: int,
) -> int:
    """A notice for the pages of ``attempts``; its id. ``kind`` is that of the adjustment it tells of, or `notice`."""
    entered = await conn.execute(
        text(
            "INSERT INTO notice (session_id, kind, adjustment_id, zh, en, made_ms)"
            " VALUES (:session_id, :kind, :adjustment_id, :zh, :en, :now) RETURNING id"
        ),
        {
            "session_id": session_id,
            "kind": kind,
            "adjustment_id": adjustment_id,
            "zh": zh,
            "en": en,
            "now": now_ms,
        },
    )
    notice_id = int(entered.scalar_one())
    await conn.execute(
        text(
            "INSERT INTO notice_attempt (notice_id, attempt_id)"
            " SELECT :notice, m.id FROM unnest(CAST(:attempts AS uuid[])) AS m(id) ORDER BY m.id"
        ),
        {"notice": notice_id, "attempts": sorted(set(attempts))},
    )
    return notice_id


async def unseen(conn: AsyncConnection, attempt: UUID) -> list[dict[str, Any]]:
    """The newest notices for an attempt that its page has not shown, oldest first, as the protocol tells them:
    ``{id, kind, zh, en}``."""
    rows = (
        await conn.execute(
            text(
                "SELECT n.id, n.kind, n.zh, n.en FROM notice_attempt m JOIN notice n ON n.id = m.notice_id"
                " WHERE m.attempt_id = :attempt AND m.shown_ms IS NULL ORDER BY n.id DESC LIMIT :most"
            ),
            {"attempt": attempt, "most": MOST},
        )
    ).mappings()
    return [dict(row) for row in reversed(rows.all())]


async def mark_shown(conn: AsyncConnection, receipts: Sequence[tuple[int, UUID, int]]) -> int:
    """Note (notice, attempt, service time) for many pages in one statement; how many were news.

    A notice that is not this attempt's, or was shown before, changes nothing. The rows are locked in the order of their
    key, as two processes may bring the same ones.
    """
    entered = await conn.execute(
        text(
            """
            WITH r AS (
                SELECT notice_id, attempt_id, min(shown_ms) AS shown_ms
                FROM unnest(CAST(:notices AS int8[]), CAST(:attempts AS uuid[]), CAST(:shown AS int8[]))
                    AS r(notice_id, attempt_id, shown_ms)
                GROUP BY notice_id, attempt_id
            ),
            l AS MATERIALIZED (
                SELECT notice_id, attempt_id, r.shown_ms FROM notice_attempt x JOIN r USING (notice_id, attempt_id)
                WHERE x.shown_ms IS NULL ORDER BY notice_id, attempt_id FOR NO KEY UPDATE OF x
            )
            UPDATE notice_attempt m SET shown_ms = l.shown_ms FROM l
            WHERE (m.notice_id, m.attempt_id) = (l.notice_id, l.attempt_id) AND m.shown_ms IS NULL
            """
        ),
        {
            "notices": [notice for notice, _, _ in receipts],
            "attempts": [attempt for _, attempt, _ in receipts],
            "shown": [shown_ms for _, _, shown_ms in receipts],
        },
    )
    return entered.rowcount


async def counted(
    conn: AsyncConnection, session_id: int, attempts: Collection[UUID] | None = None
) -> Sequence[RowMapping]:
    """Every notice of a session, newest first: ``id, kind, adjustment_id, zh, en, made_ms, made_at``, how many pages it
    is for (``of``), how many have shown it (``shown``), and how many it is for who have no page: they never signed in
    (``absent``). With ``attempts``: only notices for some of them, and only they are counted."""
    return (
        (
            await conn.execute(
                text(
                    "SELECT n.id, n.kind, n.adjustment_id, n.zh, n.en, n.made_ms, n.made_at,"
                    " count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS of,"
                    " count(m.shown_ms) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS shown,"
                    " count(*) FILTER (WHERE a.signed_in_ms IS NULL) AS absent"
                    " FROM notice n JOIN notice_attempt m ON m.notice_id = n.id JOIN attempt a ON a.id = m.attempt_id"
                    " WHERE n.session_id = :session_id"
                    " AND (CAST(:attempts AS uuid[]) IS NULL OR m.attempt_id = ANY(CAST(:attempts AS uuid[])))"
                    " GROUP BY n.id ORDER BY n.id DESC"
                ),
                {"session_id": session_id, "attempts": None if attempts is None else sorted(attempts)},
            )
        )
        .mappings()
        .all()
    )


async def entry_of(conn: AsyncConnection, notice_id: int) -> int | None:
    """The entry of the ledger that a notice tells of; None: of none, or there is no such notice."""
    found: int | None = await conn.scalar(
        text("SELECT adjustment_id FROM notice WHERE id = :notice"), {"notice": notice_id}
    )
    return found


async def missing(conn: AsyncConnection, notice_id: int) -> Sequence[RowMapping]:
    """Whose page has not shown a notice, of those who signed in: ``attempt_id, room_id, room, seat, ticket, name``, by
    room and seat."""
    return (
        (
            await conn.execute(
                text(
                    """
                    SELECT a.id AS attempt_id, room.id AS room_id, room.name AS room, seat.label AS seat, c.ticket,
                        c.name
                    FROM notice_attempt m
                    JOIN attempt a ON a.id = m.attempt_id
                    JOIN candidate c ON c.id = a.candidate_id
                    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
                    JOIN seat ON seat.id = al.seat_id
                    JOIN room ON room.id = seat.room_id
                    WHERE m.notice_id = :notice AND m.shown_ms IS NULL AND a.signed_in_ms IS NOT NULL
                    ORDER BY room.ordinal, seat.ordinal
                    """
                ),
                {"notice": notice_id},
            )
        )
        .mappings()
        .all()
    )


async def count_of(conn: AsyncConnection, notice_id: int, rooms: Collection[int] | None = None) -> RowMapping:
    """``of, shown, absent`` of one notice as in ``counted``; with ``rooms``, of those who are allocated there. All zero
    when there is no such notice, or it is for nobody of theirs."""
    return (
        (
            await conn.execute(
                text(
                    """
                    SELECT count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS of,
                        count(m.shown_ms) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS shown,
                        count(*) FILTER (WHERE a.signed_in_ms IS NULL) AS absent
                    FROM notice_attempt m JOIN attempt a ON a.id = m.attempt_id
                    WHERE m.notice_id = :notice AND (CAST(:rooms AS int8[]) IS NULL OR EXISTS (
                        SELECT 1 FROM allocation al JOIN seat ON seat.id = al.seat_id
                        WHERE al.session_id = a.session_id AND al.candidate_id = a.candidate_id
                            AND seat.room_id = ANY(CAST(:rooms AS int8[]))
                    ))
                    """
                ),
                {"notice": notice_id, "rooms": None if rooms is None else sorted(rooms)},
            )
        )
        .mappings()
        .one()
    )
