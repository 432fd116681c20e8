"""What was done in the system while an incident lasted, read where it is recorded.

Nothing is copied: time from the ledger, moves from the relogs, everything else from the audit log. So an action cannot
be missing because it came a minute before anybody had time to open the incident, and none is there twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Whose time an incident is about: its candidates; or those who sit in its rooms, or were to. Read once, because an
# outage leaves an entry for every candidate.
_MINE = (
    "mine AS MATERIALIZED (SELECT a.id FROM attempt a JOIN session s ON s.id = a.session_id"
    " JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id"
    " JOIN seat st ON st.id IN (al.seat_id, al.planned_seat_id) WHERE s.exam_id = :exam AND NOT :everywhere"
    " AND CASE WHEN :by_rooms THEN st.room_id = ANY(:rooms) ELSE a.candidate_id = ANY(:people) END)"
)
# Or paused as one of its rooms, whoever sits there by now.
_ABOUT = (
    "(:everywhere OR (:by_rooms AND d.room_id = ANY(:rooms)) OR EXISTS (SELECT 1 FROM adjustment_attempt m"
    " WHERE m.adjustment_id = d.id AND m.attempt_id IN (SELECT id FROM mine)))"
)
# A pause that still holds counts from when it was made until it is resumed; everything else at the moment it was made.
_DURING = (
    "d.made_ms <= :to AND (d.made_ms >= :from OR (d.kind = 'pause' AND NOT EXISTS (SELECT 1 FROM adjustment r"
    " WHERE r.refers_id = d.id AND r.made_ms < :from)))"
)
# Whoever names an incident's number means that one, whatever the scope; and no other.
_NAMED = "btrim(d.incident, ' #') = CAST(:number AS text)"
_NAMES_ANOTHER = "btrim(d.incident, ' #') IN (SELECT CAST(o.number AS text) FROM incident o WHERE o.exam_id = :exam)"
_ROW = (
    "SELECT d.id, d.kind, d.scope, d.scope_names, d.from_ms, d.to_ms, d.amount_ms, d.reason, d.note, d.refers_id,"
    " d.made_ms, d.made_at, d.staff_id, w.name AS by, c.ticket, c.name,"
    " (SELECT count(*) FROM adjustment_attempt m WHERE m.adjustment_id = d.id) AS people"
    " FROM adjustment d JOIN session s ON s.id = d.session_id LEFT JOIN staff w ON w.id = d.staff_id"
    " LEFT JOIN attempt oa ON oa.id = d.attempt_id LEFT JOIN candidate c ON c.id = oa.candidate_id"
)


async def decided(conn: AsyncConnection, about: Mapping[str, Any], automatic: Collection[str]) -> list[RowMapping]:
    """What people decided on time. ``about``: exam, number, from, to, everywhere, by_rooms, rooms, people, and
    ``whole``: told to somebody who is told everything of it, also what is of other rooms and names its number;
    ``automatic``: reasons of what the service enters by itself. What answers a linked entry (its resume, its undoing)
    is linked with it, whenever it came."""
    rows = await conn.execute(
        text(
            # Constants of this module, and named parameters.
            f"WITH RECURSIVE {_MINE}, linked AS (SELECT d.id FROM adjustment d"  # noqa: S608
            " JOIN session s ON s.id = d.session_id WHERE s.exam_id = :exam AND d.reason <> ALL(:automatic)"
            f" AND (({_NAMED} AND (:whole OR {_ABOUT}))"
            f" OR (NOT coalesce({_NAMES_ANOTHER}, false) AND {_DURING} AND {_ABOUT}))"
            " UNION SELECT r.id FROM adjustment r JOIN linked l ON r.refers_id = l.id OR r.supersedes_id = l.id)"
            f" {_ROW} WHERE d.id IN (SELECT id FROM linked) ORDER BY d.made_ms, d.id"
        ),
        {**about, "automatic": sorted(automatic)},
    )
    return list(rows.mappings())


async def by_itself(conn: AsyncConnection, about: Mapping[str, Any], automatic: Collection[str]) -> list[RowMapping]:
    """What the service entered by itself, one row for each kind and reason: ``entries``, ``people``, and of a single
    one its ``ticket``, ``name`` and ``length_ms``."""
    rows = await conn.execute(
        text(
            f"WITH {_MINE} SELECT d.kind, d.reason, min(d.id) AS id, min(d.made_ms) AS made_ms,"  # noqa: S608
            " count(DISTINCT d.id) AS entries, count(DISTINCT m.attempt_id) AS people, min(c.ticket) AS ticket,"
            " min(c.name) AS name, max(coalesce(d.amount_ms, d.to_ms - d.from_ms)) AS length_ms"
            " FROM adjustment d JOIN session s ON s.id = d.session_id"
            " JOIN adjustment_attempt m ON m.adjustment_id = d.id JOIN attempt a ON a.id = m.attempt_id"
            " JOIN candidate c ON c.id = a.candidate_id"
            " WHERE s.exam_id = :exam AND d.reason = ANY(:automatic)"
            f" AND {_DURING} AND (:everywhere OR m.attempt_id IN (SELECT id FROM mine)) GROUP BY d.kind, d.reason"
        ),
        {
            **{key: value for key, value in about.items() if key not in ("number", "whole")},
            "automatic": sorted(automatic),
        },
    )
    return list(rows.mappings())


async def relogs(conn: AsyncConnection, about: Mapping[str, Any]) -> list[RowMapping]:
    """Moves that were open at some time of the incident."""
    rows = await conn.execute(
        text(
            "SELECT m.id, m.state, m.reason, m.opened_ms AS made_ms, m.created_at AS made_at, m.closed_ms,"
            " w.name AS by, c.ticket, c.name, f.label AS from_seat, fr.name AS from_room, t.label AS to_seat,"
            " tr.name AS to_room FROM relog m JOIN session s ON s.id = m.session_id"
            " JOIN attempt a ON a.id = m.attempt_id JOIN candidate c ON c.id = a.candidate_id"
            " JOIN seat f ON f.id = m.from_seat_id JOIN room fr ON fr.id = f.room_id"
            " JOIN seat t ON t.id = m.to_seat_id JOIN room tr ON tr.id = t.room_id JOIN staff w ON w.id = m.staff_id"
            " WHERE s.exam_id = :exam AND m.opened_ms <= :to AND coalesce(m.closed_ms, :to) >= :from"
            " AND CASE WHEN :by_rooms THEN f.room_id = ANY(:rooms) OR t.room_id = ANY(:rooms)"
            " ELSE a.candidate_id = ANY(:people) END ORDER BY m.opened_ms, m.id"
        ),
        {key: value for key, value in about.items() if key not in ("number", "whole", "everywhere")},
    )
    return list(rows.mappings())


async def audited(conn: AsyncConnection, about: Mapping[str, Any], *, left_out: Collection[str]) -> list[RowMapping]:
    """Other changes by staff in its rooms, or about its candidates and the seats they had; ``left_out``: patterns of
    actions that are told otherwise, or are the day's ordinary work."""
    rows = await conn.execute(
        text(
            "SELECT e.n AS id, e.action, e.subject, e.service_ms AS made_ms, e.at AS made_at, e.staff_id,"
            " coalesce(w.name, e.actor) AS by FROM audit_entry e LEFT JOIN staff w ON w.id = e.staff_id"
            " WHERE e.service_ms BETWEEN :from AND :to AND NOT e.action LIKE ANY(:left_out)"
            " AND CASE WHEN :by_rooms THEN e.subject->>'room_id' = ANY(:room_texts)"
            " OR e.subject->'room_ids' @> ANY(CAST(:room_lists AS jsonb[]))"
            " ELSE e.subject->>'ticket' = ANY(:tickets)"
            " OR coalesce(jsonb_exists_any(e.subject->'tickets', CAST(:tickets AS text[])), false)"
            " OR coalesce(e.subject->>'attempt', e.subject->>'attempt_id') = ANY(:attempts)"
            " OR e.subject->>'seat_id' = ANY(:seats) END ORDER BY e.n"
        ),
        {
            **about,
            "left_out": sorted(left_out),
            "room_texts": (rooms := [str(one) for one in about["rooms"]]),
            "room_lists": rooms,
        },
    )
    return list(rows.mappings())


async def seats_of(conn: AsyncConnection, session_id: int | None, people: Collection[int]) -> list[str]:
    """Every seat that these candidates have, were given or came from in the session, as text."""
    rows = await conn.execute(
        text(
            "SELECT al.seat_id FROM allocation al WHERE al.session_id = :s AND al.candidate_id = ANY(:p)"
            " UNION SELECT al.planned_seat_id FROM allocation al WHERE al.session_id = :s AND al.candidate_id = ANY(:p)"
            " UNION SELECT r.from_seat_id FROM relog r JOIN attempt a ON a.id = r.attempt_id"
            " WHERE r.session_id = :s AND a.candidate_id = ANY(:p)"
        ),
        {"s": session_id, "p": list(people)},
    )
    return [str(one) for one in rows.scalars()]
