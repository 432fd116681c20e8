"""The jobs of the console: imports and draws, one open at a time for an exam.

Whoever works on a job moves its ``beat_at``; one that has not moved for ``LOST_S`` is nobody's any more, and the next
statement that looks for an open job ends it. What such a job did to the record is in the record and its audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

LOST_S = 20
OPEN = "('waiting', 'working', 'checked')"
# Waiting for a person is no work: only what should move can be lost.
_MOVES = "('waiting', 'working')"
_LOST = f"j.state IN {_MOVES} AND j.beat_at < clock_timestamp() - make_interval(secs => {LOST_S})"
_JOB = f"""
SELECT j.id, j.exam_id, e.code AS exam_code, j.session_id, j.kind, CASE WHEN {_LOST} THEN 'lost' ELSE j.state END
    AS state, j.name, j.sha256, j.params, j.stage, j.done, j.total, j.result, j.staff_id, s.name AS by,
    jsonb_array_length(j.faults) AS faults, j.made_at, j.ended_at
FROM site_job j JOIN exam e ON e.id = j.exam_id JOIN staff s ON s.id = j.staff_id
"""  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class Job:
    """``result``: what the job found or did, as its kind tells it; ``faults`` counts those that were kept."""

    id: int
    exam_id: int
    exam_code: str
    session_id: int | None
    kind: str
    state: str
    name: str
    sha256: str
    params: dict[str, Any]
    stage: str
    done: int
    total: int
    result: dict[str, Any] | None
    staff_id: int
    by: str
    faults: int
    made_at: datetime
    ended_at: datetime | None


async def find(conn: AsyncConnection, job_id: int) -> Job | None:
    row = (await conn.execute(text(f"{_JOB} WHERE j.id = :id"), {"id": job_id})).mappings().one_or_none()
    return None if row is None else Job(**row)


async def newest(conn: AsyncConnection, exam_id: int) -> Job | None:
    """The exam's open job, or the one that ended last."""
    rows = await conn.execute(text(f"{_JOB} WHERE j.exam_id = :exam ORDER BY j.id DESC LIMIT 1"), {"exam": exam_id})
    row = rows.mappings().one_or_none()
    return None if row is None else Job(**row)


async def lock(conn: AsyncConnection, job_id: int) -> Job | None:
    """The job with its row locked."""
    await conn.execute(text("SELECT 1 FROM site_job WHERE id = :id FOR NO KEY UPDATE"), {"id": job_id})
    return await find(conn, job_id)


_OPEN = f"{_JOB} WHERE j.exam_id = :exam AND j.state IN {OPEN}"


async def glimpse(conn: AsyncConnection, exam_id: int) -> Job | None:
    """The exam's open job, as it looks to somebody who waits for no lock; one that is lost is none."""
    query = text(f"{_OPEN} AND NOT ({_LOST})")
    row = (await conn.execute(query, {"exam": exam_id})).mappings().one_or_none()
    return None if row is None else Job(**row)


async def open_of(conn: AsyncConnection, exam_id: int) -> Job | None:
    """The exam's open job, after those that are lost have been ended. The exam's row is locked by the caller."""
    await conn.execute(
        text(
            "UPDATE site_job j SET state = 'lost', body = NULL, ended_at = clock_timestamp()"  # noqa: S608 -- constants
            f" WHERE j.exam_id = :exam AND {_LOST}"
        ),
        {"exam": exam_id},
    )
    row = (await conn.execute(text(_OPEN), {"exam": exam_id})).mappings().one_or_none()
    return None if row is None else Job(**row)


_ADD = text(
    "INSERT INTO site_job (exam_id, session_id, kind, name, sha256, body, params, staff_id, made_ms)"
    " VALUES (:exam_id, :session_id, :kind, :name, :sha256, :body, :params, :staff_id, :made_ms) RETURNING id"
).bindparams(bindparam("params", type_=JSONB), bindparam("body", type_=BYTEA))


async def add(
    conn: AsyncConnection,
    *,
    exam_id: int,
    kind: str,
    name: str,
    params: Mapping[str, Any],
    staff_id: int,
    made_ms: int,
    session_id: int | None = None,
    sha256: str = "",
    body: bytes | None = None,
) -> int:
    """A job that waits for somebody to work on it; its id. Fault reports of the exam's earlier jobs are forgotten."""
    await conn.execute(
        text("UPDATE site_job SET faults = '[]'::jsonb WHERE exam_id = :exam AND faults <> '[]'::jsonb"),
        {"exam": exam_id},
    )
    values = {
        "exam_id": exam_id, "session_id": session_id, "kind": kind, "name": name, "sha256": sha256, "body": body,
        "params": dict(params), "staff_id": staff_id, "made_ms": made_ms,
    }  # fmt: skip
    return int((await conn.execute(_ADD, values)).scalar_one())


async def claim(conn: AsyncConnection, job_id: int) -> bool:
    """Whether the job was waiting and is the caller's now."""
    done = await conn.execute(
        text("UPDATE site_job SET state = 'working', beat_at = clock_timestamp() WHERE id = :id AND state = 'waiting'"),
        {"id": job_id},
    )
    return done.rowcount == 1


async def queue(conn: AsyncConnection, job_id: int, params: Mapping[str, Any]) -> None:
    """A checked job waits for somebody to carry it out."""
    statement = text(
        "UPDATE site_job SET state = 'waiting', params = :params, stage = '', done = 0, total = 0,"
        " beat_at = clock_timestamp() WHERE id = :id"
    ).bindparams(bindparam("params", type_=JSONB))
    await conn.execute(statement, {"id": job_id, "params": dict(params)})


async def beat(conn: AsyncConnection, job_id: int, stage: str, done: int, total: int) -> bool:
    """Tell how far the work is; whether the job is still being worked on."""
    moved = await conn.execute(
        text(
            "UPDATE site_job SET stage = :stage, done = :done, total = :total, beat_at = clock_timestamp()"
            " WHERE id = :id AND state = 'working'"
        ),
        {"id": job_id, "stage": stage, "done": done, "total": total},
    )
    return moved.rowcount == 1


async def report(conn: AsyncConnection, job_id: int, faults: list[dict[str, Any]]) -> None:
    """Keep the fault report of a job that is being worked on."""
    statement = text("UPDATE site_job SET faults = :faults WHERE id = :id AND state = 'working'").bindparams(
        bindparam("faults", type_=JSONB)
    )
    await conn.execute(statement, {"id": job_id, "faults": faults})


_END = text(
    "UPDATE site_job SET state = :state, result = :result,"
    " faults = CASE WHEN :state = 'faulty' THEN faults ELSE '[]'::jsonb END,"
    " ended_at = CASE WHEN :state = 'checked' THEN NULL ELSE clock_timestamp() END,"
    " body = CASE WHEN :state = 'checked' THEN body END WHERE id = :id AND state = 'working'"
).bindparams(bindparam("result", type_=JSONB))


async def end(conn: AsyncConnection, job_id: int, state: str, result: Mapping[str, Any]) -> bool:
    """What became of the work (``checked`` waits for a person and keeps its file, ``faulty`` its ``report``); False
    when it was lost before."""
    return (await conn.execute(_END, {"id": job_id, "state": state, "result": dict(result)})).rowcount == 1


async def discard(conn: AsyncConnection, job_id: int) -> None:
    await conn.execute(
        text(
            "UPDATE site_job SET state = 'discarded', body = NULL, ended_at = clock_timestamp() WHERE id = :id"
            " AND state = 'checked'"
        ),
        {"id": job_id},
    )


async def body(conn: AsyncConnection, job_id: int) -> bytes | None:
    """The job's file, as it came."""
    found = await conn.scalar(text("SELECT body FROM site_job WHERE id = :id"), {"id": job_id})
    return None if found is None else bytes(found)


async def faults(conn: AsyncConnection, job_id: int, offset: int, limit: int) -> list[dict[str, Any]]:
    """A page of the fault report, in the order of the file."""
    query = text(
        "SELECT f.fault FROM site_job j, jsonb_array_elements(j.faults) WITH ORDINALITY AS f(fault, n)"
        " WHERE j.id = :id AND f.n > :offset ORDER BY f.n LIMIT :limit"
    )
    return list(await conn.scalars(query, {"id": job_id, "offset": offset, "limit": limit}))
