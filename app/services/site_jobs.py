"""Imports and draws asked for at the console: one open at a time for an exam, told to every page by its row.

An import is two steps. First the file is read and compared with the record, and nothing is written; what would be done
is shown and known by its digest. Then somebody says so, and exactly that is done: refused when the record has changed
in between (``importing``, ``expect``), and the file cannot have, because it is the one that was kept. The work itself
is in ``site_work``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services.drawing import NOTHING
from app.services.staff_requests import Done
from app.storage.postgres import exam_setup, exams, schedule, site_jobs
from app.storage.postgres.site_jobs import Job
from app.storage.postgres.staff import Login

# How far along a stage of the work begins and ends, in percent; a stage that cannot say how much there is has no part.
SPANS: dict[str, dict[str, tuple[int, int]]] = {
    "draw": {
        "read": (0, 2), "select": (2, 20), "place": (20, 40), "check": (40, 45), "build": (45, 70), "store": (70, 99),
    },
    "roster": {"compare": (90, 95), "write": (5, 99)},
    "bank": {"compare": (90, 95), "write": (5, 99)},
}  # fmt: skip


async def begin_import(
    conn: AsyncConnection,
    login: Login,
    *,
    exam_id: int,
    kind: str,
    name: str,
    body: bytes,
    sha256: str,
    add: bool,
    now_ms: int,
) -> Done:
    """Keep the file and have it checked: ``{job}`` (its id). Refused not-found, site-job-open."""
    exam = await _free(conn, exam_id)
    job_id = await site_jobs.add(
        conn, exam_id=exam_id, kind=kind, name=name, sha256=sha256, body=body, params={"add": add},
        staff_id=login.staff_id, made_ms=now_ms,
    )  # fmt: skip
    subject = {"exam": exam, "kind": kind, "file": name, "sha256": sha256, "size": len(body)}
    return Done({"job": job_id}, "site.upload", subject)


async def begin_draw(
    conn: AsyncConnection,
    login: Login,
    *,
    session_id: int,
    seed: str | None,
    columns: int | None,
    redraw: bool,
    seen: str | None,
    now_ms: int,
) -> Done:
    """Have the session drawn: ``{job}``. ``seen``: the digest of the draw the page showed, None for none.

    Refused: not-found, site-job-open, draw-changed, and what can be said at once of what the draw would refuse:
    session-started, papers-in-use, already-drawn, blueprint-missing. The rest is the job's result.
    """
    there = await exam_setup.find_session(conn, session_id)
    if there is None:
        raise Refused("not-found")
    exam = await _free(conn, there["exam_id"])
    there = await exam_setup.find_session(conn, session_id)
    if there is None:
        raise Refused("not-found")
    if digest_of(there) != seen:
        raise Refused("draw-changed", session=there["number"], papers=there["papers"])
    await _refuse_early(conn, there, redraw=redraw)
    params = {
        "seed": seed, "columns": columns, "redraw": redraw, "seen": seen or NOTHING, "by": login.username,
        "staff_id": login.staff_id,
    }  # fmt: skip
    job_id = await site_jobs.add(
        conn, exam_id=there["exam_id"], session_id=session_id, kind="draw", name=there["name"], params=params,
        staff_id=login.staff_id, made_ms=now_ms,
    )  # fmt: skip
    subject = {"exam": exam, "session_id": session_id, "session": there["number"], "redraw": redraw}
    return Done({"job": job_id}, "site.draw", subject)


async def _refuse_early(conn: AsyncConnection, there: dict[str, Any], *, redraw: bool) -> None:
    """As ``drawing`` does, under its locks, in the end."""
    number = there["number"]
    if there["start_ms"] is not None and (await schedule.moment(conn)).service_ms >= there["start_ms"]:
        raise Refused("session-started", session=number)
    if there["signed_in"]:
        raise Refused("papers-in-use", session=number, count=there["signed_in"])
    if there["papers"] and not redraw:
        raise Refused("already-drawn", session=number, papers=there["papers"])
    if there["blueprint"] is None:
        raise Refused("blueprint-missing", session=number)


def digest_of(session: dict[str, Any]) -> str | None:
    """The digest of the papers that are there."""
    return session["digest"].hex() if session["papers"] and session["digest"] is not None else None


async def confirm(conn: AsyncConnection, login: Login, job_id: int, *, seen: str) -> Done:
    """Carry out what was shown, known by its digest: ``{job}``. Refused: not-found, site-job-over, import-outdated."""
    job = await _checked(conn, job_id)
    if (job.result or {}).get("digest") != seen:
        raise Refused("import-outdated")
    params = {**job.params, "apply": seen, "by": login.username, "staff_id": login.staff_id}
    await site_jobs.queue(conn, job_id, params)
    subject = {"exam": job.exam_code, "kind": job.kind, "file": job.name, "sha256": job.sha256, "digest": seen}
    return Done({"job": job_id}, "site.confirm", subject)


async def discard(conn: AsyncConnection, job_id: int) -> Done:
    """Forget a file that was only checked: ``{job}``. Refused: not-found, site-job-over."""
    job = await _checked(conn, job_id)
    await site_jobs.discard(conn, job_id)
    subject = {"exam": job.exam_code, "kind": job.kind, "file": job.name, "sha256": job.sha256}
    return Done({"job": job_id}, "site.discard", subject)


async def _free(conn: AsyncConnection, exam_id: int) -> str:
    """The exam's code, its row locked, when nobody is at work on it. Refused not-found, site-job-open (who, what)."""
    # A draw or an import holds the exam's row until it is done: who comes meanwhile is told so, and does not stand in
    # line with a connection that candidates need.
    _refuse_busy(await site_jobs.glimpse(conn, exam_id))
    await exams.lock(conn, exam_id)
    code = next((each.code for each in await exams.every(conn) if each.id == exam_id), None)
    if code is None:
        raise Refused("not-found")
    _refuse_busy(await site_jobs.open_of(conn, exam_id))
    return code


def _refuse_busy(busy: Job | None) -> None:
    if busy is not None:
        raise Refused("site-job-open", by=busy.by, name=busy.name, since=f"{busy.made_at:%H:%M} UTC")


async def _checked(conn: AsyncConnection, job_id: int) -> Job:
    job = await site_jobs.lock(conn, job_id)
    if job is None:
        raise Refused("not-found")
    if job.state != "checked":
        raise Refused("site-job-over", name=job.name)
    return job


def told(job: Job) -> dict[str, Any]:
    """A job as pages show it. ``percent`` None: how much there is to do is not known."""
    return {
        "id": job.id, "exam_id": job.exam_id, "session_id": job.session_id, "kind": job.kind, "state": job.state,
        "name": job.name, "stage": job.stage, "done": job.done, "total": job.total, "percent": _percent(job),
        "result": job.result, "faults": job.faults, "by": job.by,
        "made_at": job.made_at.isoformat(timespec="seconds"),
        "ended_at": None if job.ended_at is None else job.ended_at.isoformat(timespec="seconds"),
    }  # fmt: skip


def _percent(job: Job) -> int | None:
    if job.ended_at is not None:
        return 100
    span = SPANS[job.kind].get(job.stage)
    if span is None or not job.total:
        return None
    low, high = span
    return low + (high - low) * min(job.done, job.total) // job.total
