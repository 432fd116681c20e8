"""An exam as the administration shows it: its sessions with what is drawn, its rooms, and the job that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.blueprint import parse
from app.domain.errors import Refused
from app.services import blueprint as blueprints
from app.services.exam_setup import exam_of, form_of, shown
from app.services.site_jobs import digest_of, told
from app.services.staff_requests import Done
from app.storage.postgres import exam_setup, exams, schedule, site_jobs
from app.storage.postgres.exams import Exam


async def picture(conn: AsyncConnection, exam_id: int) -> dict[str, Any]:
    """``{exam, sessions, rooms, job}``. Refused not-found."""
    exam = await exam_of(conn, exam_id)
    known = next(each for each in await exam_setup.listed(conn) if each["id"] == exam_id)
    now_ms = (await schedule.moment(conn)).service_ms
    job = await site_jobs.newest(conn, exam_id)
    return {
        "exam": known,
        "sessions": [_session(exam, each, now_ms) for each in await exam_setup.sessions(conn, exam_id)],
        "rooms": await exam_setup.rooms(conn, exam_id),
        "job": None if job is None else told(job),
    }


def _session(exam: Exam, row: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    zone = ZoneInfo(exam.timezone)
    return {
        "id": row["id"], "number": row["number"], **shown(form_of(exam, row)),
        "state": _state(row, now_ms), "people": row["people"], "papers": row["papers"], "signed_in": row["signed_in"],
        "items": None if row["blueprint"] is None else parse(row["blueprint"]).count,
        "digest": digest_of(dict(row)),
        "drawn_at": row["drawn_at"].astimezone(zone).isoformat(timespec="seconds") if row["papers"] else None,
    }  # fmt: skip


def _state(row: Mapping[str, Any], now_ms: int) -> str:
    if row["start_ms"] is None:
        return "held" if row["held"] is not None else "planned"
    if now_ms < row["start_ms"]:
        return "opened"
    return "begun" if now_ms < row["start_ms"] + row["duration_ms"] else "over"


async def standing(conn: AsyncConnection, session_id: int) -> dict[str, Any]:
    """The session's blueprint against the bank, by stratum. Refused not-found, blueprint-missing."""
    rows = await blueprints.standing_in(conn, session_id)
    return {
        "strata": [
            {"type": each.stratum.type, "topic": each.stratum.topic, "count": each.stratum.count,
             "needed": each.needed, "available": each.available}
            for each in rows
        ]
    }  # fmt: skip


async def set_blueprint(conn: AsyncConnection, session_id: int, items: int, *, seen: int | None) -> Done:
    """So many items on every paper of the session, in the bank's proportions: ``{items}``.

    Refused: not-found, blueprint-changed, bank-too-small, blueprint-bad-count.
    """
    exam_id = await exam_setup.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    await exams.lock(conn, exam_id)
    there = await exam_setup.find_session(conn, session_id)
    if there is None:
        raise Refused("not-found")
    now = None if there["blueprint"] is None else parse(there["blueprint"]).count
    if now != seen:
        raise Refused("blueprint-changed", session=there["number"], items="—" if now is None else now)
    made = await blueprints.in_proportion(conn, session_id, items)
    return Done({"items": made.count}, "blueprint.set", await blueprints.put(conn, session_id, made))
