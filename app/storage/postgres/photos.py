"""Candidates' photos."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.photos import Person

# Candidate, hash, bytes.
Row = tuple[int, str, bytes]
CHUNK = 50


async def people(conn: AsyncConnection, exam_id: int) -> list[Person]:
    """The exam's candidates, with the hash of the photo that each has."""
    found = await conn.execute(
        text(
            "SELECT c.id, c.ticket, c.name, c.id_number, p.sha256 FROM candidate c"
            " LEFT JOIN candidate_photo p ON p.candidate_id = c.id WHERE c.exam_id = :exam ORDER BY c.ticket"
        ),
        {"exam": exam_id},
    )
    return [Person(*row) for row in found]


async def put(conn: AsyncConnection, rows: Sequence[Row], content_type: str) -> None:
    """Store the photos, in place of those there are. The file's name is not stored: it may be an ID number."""
    await conn.execute(
        text(
            "INSERT INTO candidate_photo (candidate_id, sha256, content_type, body)"
            " VALUES (:candidate, :sha256, :kind, :body) ON CONFLICT (candidate_id) DO UPDATE"
            " SET sha256 = excluded.sha256, content_type = excluded.content_type, body = excluded.body, name = '',"
            " made_at = now()"
        ),
        [{"candidate": one, "sha256": sha256, "body": body, "kind": content_type} for one, sha256, body in rows],
    )


async def rooms_of(conn: AsyncConnection, session_id: int, ticket: str) -> tuple[int, frozenset[int]] | None:
    """The candidate and the rooms whose staff receive them in this session: where they sit, and where they are being
    moved to. None: nobody of that ticket."""
    found = await conn.execute(
        text(
            "SELECT c.id, s.room_id, t.room_id AS coming FROM allocation a JOIN candidate c ON c.id = a.candidate_id"
            " JOIN seat s ON s.id = a.seat_id"
            " LEFT JOIN attempt at ON at.session_id = a.session_id AND at.candidate_id = c.id"
            " LEFT JOIN relog r ON r.attempt_id = at.id AND r.state = 'open' LEFT JOIN seat t ON t.id = r.to_seat_id"
            " WHERE a.session_id = :session AND c.ticket = :ticket"
        ),
        {"session": session_id, "ticket": ticket},
    )
    rows = found.all()
    if not rows:
        return None
    return rows[0].id, frozenset(room for row in rows for room in (row.room_id, row.coming) if room is not None)


async def sha256(conn: AsyncConnection, candidate_id: int) -> str | None:
    query = text("SELECT sha256 FROM candidate_photo WHERE candidate_id = :one")
    found: str | None = (await conn.execute(query, {"one": candidate_id})).scalar_one_or_none()
    return found


async def body(conn: AsyncConnection, candidate_id: int) -> tuple[str, str, bytes] | None:
    """(sha256, content type, bytes)."""
    found = await conn.execute(
        text("SELECT sha256, content_type, body FROM candidate_photo WHERE candidate_id = :one"),
        {"one": candidate_id},
    )
    row = found.one_or_none()
    return None if row is None else (row.sha256, row.content_type, bytes(row.body))


async def of_attempt(conn: AsyncConnection, attempt: UUID) -> tuple[int, tuple[str, str, bytes] | None] | None:
    """(epoch, photo) of the attempt's candidate; None: no such attempt."""
    found = await conn.execute(
        text("SELECT epoch, candidate_id FROM attempt WHERE id = :attempt"), {"attempt": attempt}
    )
    row = found.one_or_none()
    return None if row is None else (row.epoch, await body(conn, row.candidate_id))
