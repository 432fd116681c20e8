"""Exams and their sessions as the office sets them up at the console: what a roster's file says too, one at a time.

Everything that plans an exam locks the exam's row first, as imports and draws do (``storage.postgres.exams``). What has
begun is not changed here: time that runs is the business of ``time_decisions``. A page that shows what is no longer so
is refused with what changed (``seen``), by whom and when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services import scheduling, timetable
from app.services.changes import FIELDS
from app.services.staff_requests import Done
from app.services.still_used import used_by
from app.storage.postgres import exam_setup, exams, schedule
from app.storage.postgres.exams import Exam

MINUTE_MS = 60_000
UNIQUE = "23505"


@dataclass(frozen=True, slots=True)
class SessionForm:
    """A session as people set it up: ``start`` is naive wall time in the exam's zone, lengths are minutes."""

    name: str
    start: datetime
    minutes: int
    sign_in_opens: int
    last_admission: int
    earliest_hand_in: int

    def lengths(self) -> dict[str, int]:
        """The columns that are lengths. Refused session-door-late."""
        if max(self.last_admission, self.earliest_hand_in) > self.minutes:
            raise Refused("session-door-late", minutes=self.minutes)
        return {
            "duration_ms": self.minutes * MINUTE_MS,
            "sign_in_opens_ms": self.sign_in_opens * MINUTE_MS,
            "last_admission_ms": self.last_admission * MINUTE_MS,
            "earliest_hand_in_ms": self.earliest_hand_in * MINUTE_MS,
        }


# --- exams ---


async def exam_of(conn: AsyncConnection, exam_id: int, *, lock: bool = False) -> Exam:
    """The exam, locked if wanted. Refused not-found."""
    if lock:
        await exams.lock(conn, exam_id)
    found = next((each for each in await exams.every(conn) if each.id == exam_id), None)
    if found is None:
        raise Refused("not-found")
    return found


async def add_exam(conn: AsyncConnection, *, code: str, name: str, timezone: str) -> Done:
    """``{id, code}``. Refused exam-exists, timezone-unknown."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # "Asia" is a folder of them.
        raise Refused("timezone-unknown", timezone=timezone) from None
    try:
        exam_id = await exam_setup.add_exam(conn, code, name, timezone)
    except IntegrityError as fault:
        raise already(fault, "exam-exists", exam=code) from fault
    return Done({"id": exam_id, "code": code}, "site.exam-add", {"exam": code, "name": name, "timezone": timezone})


async def rename_exam(conn: AsyncConnection, exam_id: int, *, name: str, seen: str) -> Done:
    """``{id, name}``. Refused not-found, site-changed."""
    exam = await exam_of(conn, exam_id, lock=True)
    if exam.name != seen:
        raise changed([("name", seen, exam.name)], None)
    await exams.rename(conn, exam.id, name)
    subject = {"exam": exam.code, "before": exam.name, "after": name}
    return Done({"id": exam.id, "name": name}, "site.exam-rename", subject)


# --- sessions ---


async def add_session(conn: AsyncConnection, exam_id: int, form: SessionForm) -> Done:
    """``{id, number}``: one more session, after the last. Refused not-found, session-door-late."""
    exam = await exam_of(conn, exam_id, lock=True)
    number = max((each.number for each in await exams.sessions(conn, exam.id)), default=0) + 1
    lengths = form.lengths()
    values = {
        "exam_id": exam.id, "number": number, "name": form.name, "planned_start": _instant(exam, form.start), **lengths,
    }  # fmt: skip
    session_id = await exam_setup.add_session(conn, values)
    subject = {"exam": exam.code, "session_id": session_id, "session": number, **shown(form)}
    return Done({"id": session_id, "number": number}, "site.session-add", subject)


async def change_session(conn: AsyncConnection, session_id: int, form: SessionForm, seen: SessionForm) -> Done:
    """``{id, changed: [field]}``; nothing is written where nothing changes.

    Refused: not-found, session-begun, site-changed, session-drawn (a length, once papers are drawn), session-door-late,
    sessions-overlap, sessions-share-seats.
    """
    exam, there = await _session(conn, session_id)
    sessions = await exams.sessions(conn, exam.id)
    standing = form_of(exam, there)
    differs = _differences(seen, standing)
    if differs:
        raise changed(differs, await exam_setup.last_change(conn, "session_id", session_id))
    wanted = _differences(standing, form)
    if not wanted:
        return Done({"id": session_id, "changed": []})
    lengths = form.lengths()
    fields = {name for name, _, _ in wanted}
    if "minutes" in fields and there["attempts"]:
        raise Refused("session-drawn", session=there["number"])
    start = _instant(exam, form.start)
    if fields & {"start", "minutes"}:
        after = [
            replace(each, planned_start=start, duration_ms=lengths["duration_ms"]) if each.id == session_id else each
            for each in sessions
        ]
        await timetable.refuse_overlap(conn, exam, after, lambda each: each.planned_start, {session_id})
    if "start" in fields:
        moment = await schedule.moment(conn)
        await scheduling.move(conn, exam, timetable.named(sessions, there["number"]), start, moment.service_ms)
    await exams.change_session(conn, session_id, {"name": form.name, **lengths})
    subject = {
        "exam": exam.code, "session_id": session_id, "session": there["number"],
        "changes": [{"field": name, "before": before, "after": after} for name, before, after in wanted],
    }  # fmt: skip
    return Done({"id": session_id, "changed": sorted(fields)}, "site.session-change", subject)


async def remove_session(conn: AsyncConnection, session_id: int, seen: SessionForm) -> Done:
    """``{id}``. Refused: not-found, session-begun, site-changed, session-has-people, site-still-used."""
    exam, there = await _session(conn, session_id)
    differs = _differences(seen, form_of(exam, there))
    if differs:
        raise changed(differs, await exam_setup.last_change(conn, "session_id", session_id))
    if there["people"]:
        raise Refused("session-has-people", session=there["number"], people=there["people"])
    try:
        await exam_setup.drop_session(conn, session_id)
    except IntegrityError as fault:
        raise still_used(fault) from fault
    subject = {"exam": exam.code, "session_id": session_id, "session": there["number"], "name": there["name"]}
    return Done({"id": session_id}, "site.session-remove", subject)


async def _session(conn: AsyncConnection, session_id: int) -> tuple[Exam, dict[str, Any]]:
    """The session, locked with its exam, if it has not begun."""
    exam_id = await exam_setup.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    exam = await exam_of(conn, exam_id, lock=True)
    await schedule.lock_session(conn, session_id)
    there = await exam_setup.find_session(conn, session_id)
    if there is None:
        raise Refused("not-found")
    if there["start_ms"] is not None and (await schedule.moment(conn)).service_ms >= there["start_ms"]:
        raise Refused("session-begun", session=there["number"])
    return exam, there


def form_of(exam: Exam, there: Mapping[str, Any]) -> SessionForm:
    """A session's row as people set it up."""
    return SessionForm(
        name=there["name"],
        start=there["planned_start"].astimezone(ZoneInfo(exam.timezone)).replace(tzinfo=None, second=0, microsecond=0),
        minutes=there["duration_ms"] // MINUTE_MS,
        sign_in_opens=there["sign_in_opens_ms"] // MINUTE_MS,
        last_admission=there["last_admission_ms"] // MINUTE_MS,
        earliest_hand_in=there["earliest_hand_in_ms"] // MINUTE_MS,
    )


def shown(form: SessionForm) -> dict[str, Any]:
    """The form as JSON: start is '2026-11-24T08:30'."""
    return {
        "name": form.name, "start": form.start.isoformat(timespec="minutes"), "minutes": form.minutes,
        "sign_in_opens": form.sign_in_opens, "last_admission": form.last_admission,
        "earliest_hand_in": form.earliest_hand_in,
    }  # fmt: skip


def _instant(exam: Exam, wall: datetime) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(exam.timezone))


def _differences(before: SessionForm, after: SessionForm) -> list[tuple[str, Any, Any]]:
    was, becomes = shown(before), shown(after)
    return [(name, was[name], becomes[name]) for name in was if was[name] != becomes[name]]


# --- what rooms and sessions are refused with ---


def changed(differs: Sequence[tuple[str, Any, Any]], last: Mapping[str, Any] | None) -> Refused:
    """site-changed: which fields, from what to what, by whom and when."""
    said = [
        "；".join(f"{FIELDS[name][language]} {before} → {after}" for name, before, after in differs)
        for language in (0, 1)
    ]
    by = "—" if last is None else str(last["by"])
    return Refused("site-changed", what_zh=said[0], what_en=said[1], by=by)


def already(fault: IntegrityError, code: str, **params: object) -> Exception:
    """The refusal of a second one of the same name; any other fault as it is."""
    return Refused(code, **params) if getattr(fault.orig, "sqlstate", None) == UNIQUE else fault


def still_used(fault: IntegrityError) -> Exception:
    """site-still-used, and by what; any other fault as it is."""
    what = used_by(fault)
    return fault if what is None else Refused("site-still-used", **what)
