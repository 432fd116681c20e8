"""Bringing a faultless file into the record: all of it or nothing, in one transaction, with one audit entry.

1. The exam's row is locked (created where there is none); two imports of one exam follow each other.
2. With changes to apply, the exam's allocations are locked before anything is read: nobody is drawn or moved between
   the question "has this candidate a paper?" and the answer's use.
3. The record is read once, compared with the file by a pure function, and the difference is done, shown or refused.

A first import is done at once. A file that differs from what is stored is only shown, until ``apply`` is asked for;
``expect`` then makes sure that what is applied is what was shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.errors import Refused
from app.importers import bank as bank_file
from app.importers import roster as roster_file
from app.importers.model import Bank, Roster
from app.services import bank_changes, import_target, roster_changes
from app.services.changes import Change, Outcome, State
from app.services.import_target import Chosen, Target
from app.services.roster_writing import Progress, RosterWriter
from app.services.still_used import used_by
from app.storage.postgres import audit, bank, candidates, exams

Mode = Literal["show", "import", "apply"]
# How many single changes an audit entry tells; the counts are always complete.
AUDITED_CHANGES = 500


@dataclass(frozen=True, slots=True)
class Source:
    """The file, for the audit log."""

    file: str
    sha256: str


async def import_roster(
    engine: AsyncEngine,
    roster: Roster,
    *,
    key: bytes,
    source: Source,
    target: Target = Target(),  # noqa: B008 -- frozen
    mode: Mode = "import",
    expect: str | None = None,
    progress: Progress | None = None,
    actor: str = "import",
    staff_id: int | None = None,
) -> Outcome:
    """Bring the roster in, or say what it would change. ``key`` is the site's secret, for the HMAC of ID tails.

    Raises Refused: exam-unclear, import-outdated (``expect`` is no longer what would be done).
    """
    async with _transaction(engine, mode) as conn:
        chosen = await import_target.for_roster(conn, target, roster.title)
        exam = chosen.exam
        if mode == "apply":
            await candidates.lock_allocations(conn, exam.id)
        stored = await _stored(conn, exam.id)
        zone = ZoneInfo(exam.timezone)
        plan = roster_changes.compare(roster, stored, zone)
        changes = [*_renamed(chosen), *plan.changes]
        outcome = Outcome(
            _state(mode, bool(changes), stored.is_empty, bool(plan.blocked)),
            "roster",
            exam.code,
            chosen.new_name or exam.name,
            roster_file.counts(roster),
            changes,
            plan.blocked,
            _roster_notes(plan, stored),
        )
        _check_expected(outcome, mode, expect)
        if outcome.writes:
            await _rename(conn, chosen)
            try:
                await RosterWriter(conn, exam, stored, key=key, progress=progress).apply(plan)
            except IntegrityError as fault:
                what = used_by(fault)
                if what is None:
                    raise
                # Something refers to a room, a seat or a session that would go; the transaction is undone whole.
                raise Refused("import-still-used", **what) from fault
            await _append(conn, (actor, staff_id), f"roster.{outcome.state}", source, outcome)
        return outcome


async def import_bank(
    engine: AsyncEngine,
    items: Bank,
    *,
    source: Source,
    target: Target = Target(),  # noqa: B008 -- frozen
    mode: Mode = "import",
    expect: str | None = None,
    keep_others: bool = False,
    progress: Progress | None = None,
    actor: str = "import",
    staff_id: int | None = None,
) -> Outcome:
    """Bring the bank in, or say what it would change. ``keep_others``: stored items that the file lacks stay.

    Raises Refused: exam-unclear, import-outdated.
    """
    async with _transaction(engine, mode) as conn:
        chosen = await import_target.for_bank(conn, target)
        exam = chosen.exam
        stored = await bank.newest(conn, exam.id)
        plan = bank_changes.compare(items, stored, keep_others=keep_others)
        changes = [*_renamed(chosen), *plan.changes]
        outcome = Outcome(
            _state(mode, bool(changes), not stored, blocked=False),
            "bank",
            exam.code,
            chosen.new_name or exam.name,
            bank_file.counts(items),
            changes,
            (),
            _bank_notes(plan),
        )
        _check_expected(outcome, mode, expect)
        if outcome.writes:
            await _rename(conn, chosen)
            await _write_bank(conn, exam.id, items, plan, stored=stored, progress=progress)
            await _append(conn, (actor, staff_id), f"bank.{outcome.state}", source, outcome)
        return outcome


@asynccontextmanager
async def _transaction(engine: AsyncEngine, mode: Mode) -> AsyncIterator[AsyncConnection]:
    """One transaction; what ``show`` had to do in order to compare (create the exam) is undone."""
    async with engine.connect() as conn, conn.begin() as transaction:
        yield conn
        if mode == "show":
            await transaction.rollback()


def _state(mode: Mode, differs: bool, is_empty: bool, blocked: bool) -> State:
    if not differs:
        return "unchanged"
    if blocked:
        return "blocked"
    if mode == "show":
        return "would-import" if is_empty else "would-change"
    if is_empty:
        return "imported"
    return "changed" if mode == "apply" else "would-change"


def _check_expected(outcome: Outcome, mode: Mode, expect: str | None) -> None:
    if mode == "apply" and expect is not None and outcome.digest != expect and outcome.changes:
        raise Refused("import-outdated")


async def _append(
    conn: AsyncConnection, who: tuple[str, int | None], action: str, source: Source, outcome: Outcome
) -> None:
    """The import's one entry. A bank's contents stay out of it: items are unreadable before their session (I12)."""
    subject: dict[str, Any] = {
        "exam": outcome.exam_code,
        "file": source.file,
        "sha256": source.sha256,
        "counts": outcome.counts,
        "summary": outcome.summary(),
    }
    if outcome.state == "changed":
        told = outcome.changes[:AUDITED_CHANGES]
        subject["digest"] = outcome.digest
        subject["changes"] = (
            [change.as_json() for change in told]
            if outcome.kind == "roster"
            else [{"action": change.action, "key": change.key, "field": change.field} for change in told]
        )
    await audit.append(conn, actor=who[0], action=action, subject=subject, staff_id=who[1])


def _renamed(chosen: Chosen) -> list[Change]:
    if chosen.new_name is None:
        return []
    return [Change("exam", "change", chosen.exam.code, "name", chosen.exam.name, chosen.new_name)]


async def _rename(conn: AsyncConnection, chosen: Chosen) -> None:
    if chosen.new_name is not None:
        await exams.rename(conn, chosen.exam.id, chosen.new_name)


# --- roster ---


async def _stored(conn: AsyncConnection, exam_id: int) -> roster_changes.Stored:
    return roster_changes.Stored(
        await exams.rooms(conn, exam_id),
        await exams.sessions(conn, exam_id),
        await candidates.every(conn, exam_id),
        await candidates.allocations(conn, exam_id),
        await exams.seat_ids(conn, exam_id),
    )


def _roster_notes(plan: roster_changes.Plan, stored: roster_changes.Stored) -> list[tuple[str, str]]:
    drawn = {session.number for session in stored.sessions if session.attempts}
    late = {ticket for ticket, placement in plan.placements_in if placement.session in drawn}
    if not late:
        return []
    return [
        (
            f"{len(late)} 名应考人员编入了已抽题的场次，尚无试卷：导入后须重新抽题。",
            f"{len(late)} candidates join a session whose papers are drawn and have none: draw again after the import.",
        )
    ]


# --- bank ---


def _bank_notes(plan: bank_changes.Plan) -> list[tuple[str, str]]:
    notes = []
    if plan.drawn:
        notes.append(
            (
                f"{plan.drawn} 道修改过的试题已被抽中：已抽的试卷保留原版本，以后抽题用新版本。",
                f"{plan.drawn} changed items are on papers: those keep their version, new draws use the new one.",
            )
        )
    if plan.kept:
        notes.append(
            (
                f"文件里没有的 {plan.kept} 道已有试题予以保留。",
                f"{plan.kept} stored items that the file does not hold are kept.",
            )
        )
    return notes


async def _write_bank(
    conn: AsyncConnection,
    exam_id: int,
    items: Bank,
    plan: bank_changes.Plan,
    *,
    stored: list[bank.Item],
    progress: Progress | None,
) -> None:
    total = len(items.media) + len(plan.versions)
    await bank.add_media(conn, ((each.sha256, each.content_type, each.body) for each in items.media.values()))
    if progress is not None:
        progress(len(items.media), total)
    ids = {each.number: each.id for each in stored}
    if plan.items_in:
        ids.update(await bank.add_items(conn, exam_id, plan.items_in))
    if plan.versions:
        rows = [{"item_id": ids[number], "version": n, **values} for number, n, values in plan.versions]
        await bank.add_versions(conn, rows)
    if plan.retire:
        await bank.set_retired(conn, plan.retire, retired=True)
    if plan.restore:
        await bank.set_retired(conn, plan.restore, retired=False)
    if progress is not None:
        progress(total, total)
