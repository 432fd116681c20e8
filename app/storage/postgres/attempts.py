"""Attempts and their leases: what a sign-in, a resume, a move and an end read and write.

Functions named ``lock_*`` take the attempt's row ``FOR NO KEY UPDATE``, the one lock that the writer, the sweeper and
the drain take too, always ordered by id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

Row = RowMapping


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> Sequence[Row]:
    return (await conn.execute(text(sql), values)).mappings().all()


async def _row(conn: AsyncConnection, sql: str, **values: object) -> Row | None:
    return (await conn.execute(text(sql), values)).mappings().first()


async def of_ticket(conn: AsyncConnection, ticket: str) -> Sequence[Row]:
    """Every allocation of every candidate with this ticket (several exams may share a database), by planned start.

    ``claimed_ids``: document numbers they were admitted with provisionally. One that the office has not accepted still
    lets them in to the session it was written down in: a PC that dies must not shut out who sits there.
    """
    return await _rows(
        conn,
        """
        SELECT c.id AS candidate_id, c.id_tail_hmac, s.id AS session_id, s.number, s.held,
            s.start_ms + coalesce(a.postponed_ms, 0) AS start_ms,
            s.sign_in_opens_ms, s.last_admission_ms, s.duration_ms,
            a.id AS attempt_id, a.state, a.end_ms, a.signed_in_ms,
            EXISTS (SELECT 1 FROM relog r WHERE r.attempt_id = a.id AND r.state = 'open') AS moving,
            EXISTS (SELECT 1 FROM admission ad WHERE ad.session_id = s.id AND ad.candidate_id = c.id
                AND ad.kind = 'late' AND ad.withdrawn_ms IS NULL) AS admitted,
            ARRAY(SELECT f.claimed FROM discrepancy d JOIN discrepancy_field f ON f.discrepancy_id = d.id
                WHERE d.candidate_id = c.id AND f.field = 'id_number'
                AND (f.state <> 'rejected' OR d.session_id = s.id)) AS claimed_ids
        FROM candidate c
        LEFT JOIN allocation al ON al.candidate_id = c.id
        LEFT JOIN session s ON s.id = al.session_id
        LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
        WHERE c.ticket = :ticket ORDER BY s.planned_start
        """,
        ticket=ticket,
    )


async def lock(conn: AsyncConnection, attempt: UUID) -> Row | None:
    """The attempt's row, locked."""
    return await _row(conn, "SELECT * FROM attempt WHERE id = :attempt FOR NO KEY UPDATE", attempt=attempt)


async def live_lease(conn: AsyncConnection, attempt: UUID) -> Row | None:
    return await _row(conn, "SELECT * FROM lease WHERE attempt_id = :attempt AND revoked_ms IS NULL", attempt=attempt)


async def open_relog(conn: AsyncConnection, attempt: UUID) -> Row | None:
    return await _row(conn, "SELECT * FROM relog WHERE attempt_id = :attempt AND state = 'open'", attempt=attempt)


async def allocated_seat(conn: AsyncConnection, session_id: int, candidate_id: int) -> int:
    row = await _row(
        conn,
        "SELECT seat_id FROM allocation WHERE session_id = :session_id AND candidate_id = :candidate_id",
        session_id=session_id,
        candidate_id=candidate_id,
    )
    if row is None:
        raise LookupError(f"candidate {candidate_id} is not allocated to session {session_id}")
    return int(row["seat_id"])


async def seat_named(conn: AsyncConnection, session_id: int, room: str, seat: str) -> int | None:
    """The seat a PC's start address names, in the exam of the session; None when there is no such seat."""
    row = await _row(
        conn,
        """
        SELECT seat.id FROM seat JOIN room ON room.id = seat.room_id JOIN session s ON s.exam_id = room.exam_id
        WHERE s.id = :session_id AND (room.name = :room OR room.number = :room) AND seat.label = :seat
        """,
        session_id=session_id,
        room=room,
        seat=seat,
    )
    return None if row is None else int(row["id"])


async def seat_label(conn: AsyncConnection, seat_id: int) -> str:
    row = await _row(conn, "SELECT label FROM seat WHERE id = :seat", seat=seat_id)
    return "" if row is None else str(row["label"])


async def grant(
    conn: AsyncConnection,
    attempt: UUID,
    *,
    epoch: int,
    device_id: str,
    secret_hash: bytes,
    seat_id: int,
    now_ms: int,
    term: int,
    address: str,
    gap_from_ms: int | None,
) -> None:
    """Make ``epoch`` the live one. The attempt's row is locked by the caller."""
    await conn.execute(
        text("UPDATE lease SET revoked_ms = :now WHERE attempt_id = :attempt AND revoked_ms IS NULL"),
        {"now": now_ms, "attempt": attempt},
    )
    await conn.execute(
        text(
            "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms, address)"
            " VALUES (:attempt, :epoch, :device_id, :secret_hash, :seat_id, :now, :address)"
        ),
        {
            "attempt": attempt,
            "epoch": epoch,
            "device_id": device_id,
            "secret_hash": secret_hash,
            "seat_id": seat_id,
            "now": now_ms,
            "address": address,
        },
    )
    await conn.execute(
        text(
            "UPDATE attempt SET epoch = :epoch, grants = grants || CAST(:grant AS jsonb), acked = '{}',"
            " signed_in_ms = coalesce(signed_in_ms, :now), contact_ms = greatest(contact_ms, :now),"
            " contact_term = :term, gap_from_ms = :gap, reopened_seq = 0 WHERE id = :attempt"
        ),
        {
            "epoch": epoch,
            "grant": json.dumps([[epoch, now_ms]]),
            "now": now_ms,
            "term": term,
            "gap": gap_from_ms,
            "attempt": attempt,
        },
    )


async def resumed(conn: AsyncConnection, attempt: UUID, *, now_ms: int) -> None:
    """The device that holds the lease has signed in again: an acknowledged contact. Row locked by the caller."""
    await conn.execute(
        text(
            "UPDATE attempt SET contact_ms = CASE WHEN over THEN contact_ms ELSE greatest(contact_ms, :now) END,"
            " late_contact_ms = CASE WHEN over THEN greatest(late_contact_ms, :now) ELSE late_contact_ms END"
            " FROM (SELECT id AS own, state <> 'open' OR coalesce(end_ms <= :now, false) AS over FROM attempt) o"
            " WHERE id = :attempt AND own = id"
        ),
        {"now": now_ms, "attempt": attempt},
    )


async def use_relog(conn: AsyncConnection, relog: Row, *, now_ms: int) -> None:
    """The candidate has arrived: the relog is used, the seat is theirs."""
    await conn.execute(
        text("UPDATE relog SET state = 'used', closed_ms = :now WHERE id = :id AND state = 'open'"),
        {"now": now_ms, "id": relog["id"]},
    )
    await conn.execute(
        text(
            "UPDATE allocation SET seat_id = :seat WHERE (session_id, candidate_id) ="
            " (SELECT session_id, candidate_id FROM attempt WHERE id = :attempt)"
        ),
        {"seat": relog["to_seat_id"], "attempt": relog["attempt_id"]},
    )


@dataclass(frozen=True, slots=True)
class Seated:
    """What never changes about an attempt while its candidate sits: asked once per process and attempt."""

    attempt: UUID
    session_id: int
    candidate: dict[str, str]
    exam: str
    session: dict[str, Any]
    seat_id: int
    seat: dict[str, str]
    items: dict[int, str]
    start_ms: int | None
    # As they were when this was asked: only while PostgreSQL is away, and nobody knows better, does anyone go by them.
    postponed_ms: int = 0
    clock_rev: int = -1
    end_ms: int | None = None
    left_ms: int | None = None

    def facts(self) -> dict[str, Any]:
        """Plain JSON for the hot copy; the ID number stays in the record."""
        known = asdict(self)
        known["attempt"] = str(self.attempt)
        known["candidate"]["id_number"] = ""
        return known

    @classmethod
    def of_facts(cls, known: dict[str, Any]) -> Seated:
        # Another release may have left more than is asked for here.
        asked = {name: value for name, value in known.items() if name in cls.__slots__}
        items = {int(item): kind for item, kind in known["items"].items()}
        return cls(**{**asked, "attempt": UUID(known["attempt"]), "items": items})


async def seated(conn: AsyncConnection, attempt: UUID) -> Seated | None:
    """The attempt with its candidate, session, present seat and the types of its items."""
    row = await _row(
        conn,
        """
        SELECT a.session_id, a.postponed_ms, a.clock_rev, a.end_ms, a.left_ms,
            c.name, c.ticket, c.gender, c.specialty, c.id_number, e.name AS exam,
            s.number, s.name AS session_name, s.planned_start, s.start_ms, s.duration_ms, s.earliest_hand_in_ms,
            seat.id AS seat_id, seat.label, room.name AS room, room.number AS room_number, b.name AS building
        FROM attempt a
        JOIN candidate c ON c.id = a.candidate_id
        JOIN session s ON s.id = a.session_id
        JOIN exam e ON e.id = s.exam_id
        JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
        JOIN seat ON seat.id = al.seat_id
        JOIN room ON room.id = seat.room_id
        JOIN building b ON b.id = room.building_id
        WHERE a.id = :attempt
        """,
        attempt=attempt,
    )
    if row is None:
        return None
    items = await _rows(
        conn,
        "SELECT p.item_version_id AS item, v.type FROM paper_item p JOIN item_version v ON v.id = p.item_version_id"
        " WHERE p.attempt_id = :attempt",
        attempt=attempt,
    )
    return Seated(
        attempt=attempt,
        session_id=row["session_id"],
        candidate={
            "name": row["name"],
            "ticket": row["ticket"],
            "gender": row["gender"],
            "specialty": row["specialty"],
            "id_number": row["id_number"],
        },
        exam=row["exam"],
        session={
            "number": row["number"],
            "name": row["session_name"],
            "planned_start": row["planned_start"].isoformat(),
            "duration_ms": row["duration_ms"],
            "earliest_hand_in_ms": row["earliest_hand_in_ms"],
        },
        seat_id=row["seat_id"],
        seat={
            "building": row["building"],
            "room": row["room"],
            "room_number": row["room_number"],
            "seat": row["label"],
        },
        items={one["item"]: one["type"] for one in items},
        start_ms=row["start_ms"],
        postponed_ms=row["postponed_ms"],
        clock_rev=row["clock_rev"],
        end_ms=row["end_ms"],
        left_ms=row["left_ms"],
    )


async def state(conn: AsyncConnection, attempt: UUID) -> Row | None:
    """The attempt's row with its own start and its contiguous durable prefix."""
    return await _row(
        conn,
        "SELECT a.*, coalesce((SELECT upper(x) - 1 FROM unnest(a.acked) x WHERE lower(x) <= 1), 0) AS acked_seq,"
        " coalesce(upper(a.acked) - 1, 0) AS last_seq, s.start_ms + a.postponed_ms AS start_ms"
        " FROM attempt a JOIN session s ON s.id = a.session_id WHERE a.id = :attempt",
        attempt=attempt,
    )


async def responses(conn: AsyncConnection, attempt: UUID) -> Sequence[Row]:
    return await _rows(
        conn,
        "SELECT item_id, epoch, rev, value, late FROM response WHERE attempt_id = :attempt ORDER BY item_id",
        attempt=attempt,
    )


async def last_answer_ms(conn: AsyncConnection, attempt: UUID) -> int:
    """The stamp of the newest response that the candidate's own device brought, 0 without any: what the office adopted
    shows nobody at work."""
    row = await _row(
        conn,
        "SELECT coalesce(max(stamp_ms), 0) AS ms FROM response WHERE attempt_id = :a AND adopt_n = 0",
        a=attempt,
    )
    return 0 if row is None else int(row["ms"])


async def newest_stranded_epoch(conn: AsyncConnection, attempt: UUID) -> int:
    """The greatest epoch a stranded response came under, 0 without any."""
    row = await _row(conn, "SELECT coalesce(max(epoch), 0) AS n FROM stranded WHERE attempt_id = :a", a=attempt)
    return 0 if row is None else int(row["n"])


async def kept_aside(conn: AsyncConnection, attempt: UUID) -> Sequence[Row]:
    """Stranded responses that nobody has decided on."""
    return await _rows(
        conn,
        "SELECT item_id, value, reason FROM stranded WHERE attempt_id = :attempt AND state = 'kept' ORDER BY id",
        attempt=attempt,
    )


# An attempt whose end is not yet known: a move is open (its gap is still growing), the page at the new seat has not
# been painted, or an outage has just ended and its first contact, which brings the credit, may still come.
UNDECIDED = """
    EXISTS (SELECT 1 FROM relog r WHERE r.attempt_id = a.id AND r.state = 'open')
    OR (a.gap_from_ms IS NOT NULL AND a.gap_from_ms + :ready_ms > :now)
    OR EXISTS (
        SELECT 1 FROM term t WHERE t.n = :term AND t.gap_ms >= :handover_ms AND a.contact_term < t.n
            AND a.contact_ms >= t.start_ms - :heard_ms AND :now < t.start_ms + :credit_ms
    )
"""


@dataclass(frozen=True, slots=True)
class Patience:
    """What an attempt at its end is waited for; milliseconds, and the term in force."""

    term: int
    handover_ms: int
    credit_ms: int
    heard_ms: int
    ready_ms: int


async def due(conn: AsyncConnection, now_ms: int, limit: int, patience: Patience) -> Sequence[Row]:
    """Open attempts whose time is up, locked; those that somebody else works on and the undecided are left out."""
    return await _rows(
        conn,
        f"SELECT id, epoch, end_ms FROM attempt a"  # noqa: S608
        f" WHERE state = 'open' AND end_ms <= :now AND NOT ({UNDECIDED})"
        " ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED",
        now=now_ms,
        limit=limit,
        **asdict(patience),
    )


async def undecided(conn: AsyncConnection, attempt: UUID, now_ms: int, patience: Patience) -> bool:
    """Whether the end of this attempt is not yet known. Row locked by the caller."""
    row = await _row(
        conn,
        f"SELECT ({UNDECIDED}) AS yes FROM attempt a WHERE id = :attempt",  # noqa: S608
        attempt=attempt,
        now=now_ms,
        **asdict(patience),
    )
    return bool(row and row["yes"])


async def end(conn: AsyncConnection, attempt: UUID, *, ended_ms: int, reason: str) -> None:
    """Step one of I9. Row locked by the caller.

    A leave ends with it, whatever way it ends: nobody is waited for any more, nor found out of the room when the office
    opens the attempt again. Nobody brought them back either, and ``returned_by`` stays empty.
    """
    await conn.execute(
        text(
            "WITH over AS (UPDATE attempt SET state = 'ended', ended_ms = :ended, end_reason = :reason, left_ms = NULL,"
            " clock_rev = clock_rev + 1 WHERE id = :attempt AND state = 'open' RETURNING id, ended_ms)"
            " UPDATE leave l SET returned_ms = greatest(l.left_ms, over.ended_ms) FROM over"
            " WHERE l.attempt_id = over.id AND l.returned_ms IS NULL"
        ),
        {"ended": ended_ms, "reason": reason, "attempt": attempt},
    )


async def out_of_grace(
    conn: AsyncConnection, now_ms: int, *, silent_ms: int, limit: int, session_id: int | None = None
) -> Sequence[Row]:
    """Ended attempts to be made final, locked.

    One that was heard of until its end: when its grace is over. One that was silent at its end: after its first
    contact, or when the office finalises its session (``session_id``).
    """
    return await _rows(
        conn,
        """
        SELECT a.id, a.ended_ms, a.end_reason FROM attempt a JOIN session s ON s.id = a.session_id
        WHERE a.state = 'ended' AND a.ended_ms + s.grace_ms <= :now AND (
            a.session_id = :session_id
            OR (greatest(a.contact_ms, a.late_contact_ms, -1) >= a.ended_ms - :silent
                AND greatest(a.contact_ms, a.late_contact_ms) + 30000 <= :now)
        )
        ORDER BY a.id LIMIT :limit FOR NO KEY UPDATE OF a SKIP LOCKED
        """,
        now=now_ms,
        silent=silent_ms,
        limit=limit,
        session_id=session_id if session_id is not None else -1,
    )


async def finalise(conn: AsyncConnection, attempt: UUID, *, now_ms: int, receipt: dict[str, Any]) -> None:
    """Step two of I9: fenced, with a receipt. Row locked by the caller."""
    await conn.execute(
        text(
            "UPDATE attempt SET state = 'final', final_ms = :now, receipt = CAST(:receipt AS jsonb),"
            " clock_rev = clock_rev + 1"
            " WHERE id = :attempt AND state = 'ended'"
        ),
        {"now": now_ms, "receipt": json.dumps(receipt, ensure_ascii=False), "attempt": attempt},
    )
    await conn.execute(
        text("UPDATE lease SET revoked_ms = :now WHERE attempt_id = :attempt AND revoked_ms IS NULL"),
        {"now": now_ms, "attempt": attempt},
    )


async def paper(conn: AsyncConnection, attempt: UUID) -> tuple[bytes, str] | None:
    """The attempt's prepared paper: gzip bytes and their tag."""
    row = await _row(conn, "SELECT body, etag FROM paper WHERE attempt_id = :attempt", attempt=attempt)
    return None if row is None else (bytes(row["body"]), row["etag"])


async def picture(conn: AsyncConnection, attempt: UUID, sha256: str) -> tuple[bytes, str] | None:
    """A picture that an item of the attempt's own paper shows: its bytes and content type."""
    row = await _row(
        conn,
        """
        SELECT m.content_type, m.body FROM media m WHERE m.sha256 = :sha AND EXISTS (
            SELECT 1 FROM paper_item p JOIN item_version v ON v.id = p.item_version_id
            WHERE p.attempt_id = :attempt
                AND (v.media @> to_jsonb(CAST(:sha AS text)) OR v.options @> CAST(:option AS jsonb)))
        """,
        sha=sha256,
        attempt=attempt,
        option=json.dumps([{"media": sha256}]),
    )
    return None if row is None else (bytes(row["body"]), row["content_type"])
