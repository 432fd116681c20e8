"""The work of a console job: reading a file, comparing it, bringing it in, drawing papers.

A job is worked on by the process that was asked, on connections of its own (the pool's are cut after ``hold_timeout``):
a file is read in a thread, off the loop that answers candidates, and papers are drawn by a child (``site_draw``). A
beat tells how far it is; when the process ends in the middle the beat stops, the transaction is undone, and pages are
told that the job is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from app.domain.errors import Refused
from app.importers import render
from app.importers.bank import read_bank
from app.importers.faults import Report, Unreadable
from app.importers.model import Bank, Roster
from app.importers.roster import read_roster
from app.services import importing, site_draw
from app.services.changes import Outcome
from app.services.import_target import Target
from app.services.importing import Mode, Source
from app.services.site import Site
from app.storage.postgres import site_jobs
from app.storage.postgres.engine import create_engine
from app.storage.postgres.site_jobs import Job

log = structlog.get_logger(__name__)
BEAT_S = 0.4
# A file with more faults than this is another file; how many there are is counted in any case.
FAULTS_KEPT = 5_000
CHANGES_TOLD = 200
# Bytes of a file's name on a disk, and of what may be its ending.
LONGEST_NAME, LONGEST_ENDING = 200, 20


@dataclass(slots=True)
class _Far:
    """How far the work is; written from its threads, read by the beat."""

    stage: str = "read"
    done: int = 0
    total: int = 0

    def tell(self, stage: str, done: int, total: int) -> None:
        self.stage, self.done, self.total = stage, done, total


@dataclass(frozen=True, slots=True)
class _End:
    state: str
    result: dict[str, Any]
    faults: list[dict[str, Any]]


class Jobs:
    """The jobs this process works on. ``start`` again is harmless: a job is worked on once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job_id: int) -> None:
        task = asyncio.create_task(self._run(job_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in list(self._tasks):
            await background.end(task)

    async def _run(self, job_id: int) -> None:
        settings = self._site.settings
        engine = create_engine(self._site.database_url, settings, name="holdfast-site-job", pool_size=2)
        try:
            async with engine.begin() as conn:
                if not await site_jobs.claim(conn, job_id):
                    return
                job = await site_jobs.find(conn, job_id)
                body = await site_jobs.body(conn, job_id)
            if job is None:
                return
            far = _Far()
            beat = asyncio.create_task(_beat(engine, job_id, far))
            try:
                end = await self._work(engine, job, body, far)
            finally:
                await background.end(beat)
            async with engine.begin() as conn:
                kept = await site_jobs.end(conn, job_id, end.state, end.result, end.faults)
            log.info("site job", job=job_id, kind=job.kind, state=end.state, kept=kept)
        except (SQLAlchemyError, OSError, TimeoutError) as fault:
            # The row says nothing any more: it is lost, as soon as its beat is old.
            log.warning("site job failed", job=job_id, fault=repr(fault))
        finally:
            await engine.dispose()

    async def _work(self, engine: AsyncEngine, job: Job, body: bytes | None, far: _Far) -> _End:
        try:
            if job.kind == "draw":
                return await self._draw(job, far)
            return await self._import(engine, job, body or b"", far)
        except Refused as refused:
            return _End("refused", _said(refused.code, refused.text("zh"), refused.text("en")), [])
        except Unreadable as fault:
            return _End("refused", _said(fault.code, fault.sentence.zh, fault.sentence.en), [])
        except (SQLAlchemyError, OSError, TimeoutError) as fault:
            log.warning("site job undone", job=job.id, fault=repr(fault))
            away = Refused("site-job-undone")
            return _End("failed", _said(away.code, away.text("zh"), away.text("en")), [])
        except Exception:
            log.exception("site job undone", job=job.id)
            broken = Refused("site-job-broken")
            return _End("failed", _said(broken.code, broken.text("zh"), broken.text("en")), [])

    async def _draw(self, job: Job, far: _Far) -> _End:
        if job.session_id is None:
            raise Refused("not-found")
        process = await asyncio.create_subprocess_exec(
            *site_draw.COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        end: _End | None = None
        try:
            if process.stdin is None or process.stdout is None:
                raise OSError("a process without pipes")
            process.stdin.write(
                site_draw.order(self._site.settings, self._site.database_url, job.session_id, job.params)
            )
            await process.stdin.drain()
            async for line in process.stdout:
                said = json.loads(line)
                if "result" in said:
                    end = _End("done", said["result"], [])
                elif "refused" in said:
                    end = _End("refused", said["refused"], [])
                elif "undone" in said:
                    raise ConnectionError(said["undone"])
                else:
                    far.tell(said["stage"], said["done"], said["total"])
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if end is None:
            # Its transaction went with it; what it could still say is in the log.
            raise RuntimeError(f"the draw ended with {process.returncode}")
        return end

    async def _import(self, engine: AsyncEngine, job: Job, body: bytes, far: _Far) -> _End:
        plan, report = await asyncio.to_thread(_read, job, body, far)
        if plan is None:
            zh, en = render.headline(report)
            found = report.as_json()
            result = {"zh": zh, "en": en, "count": report.fault_count, "codes": found["fault_codes"]}
            return _End("faulty", result, found["faults"][:FAULTS_KEPT])
        apply = job.params.get("apply")
        far.tell("write" if apply else "compare", 0, 0)
        outcome = await self._bring(engine, job, plan, far, apply)
        result = _told(outcome, report)
        if outcome.state == "blocked":
            return _End("refused", {**result, **_refusal("import-blocked")}, [])
        return _End("checked" if outcome.state in ("would-import", "would-change") else "done", result, [])

    async def _bring(
        self, engine: AsyncEngine, job: Job, plan: Roster | Bank, far: _Far, expect: str | None
    ) -> Outcome:
        mode: Mode = "show" if expect is None else "apply"
        asked: dict[str, Any] = {
            "source": Source(job.name, job.sha256),
            "target": Target(job.exam_code),
            "mode": mode,
            "expect": expect,
            "progress": lambda done, total: far.tell("write", done, total),
            "actor": job.params.get("by", "import"),
            "staff_id": job.params.get("staff_id"),
        }
        if isinstance(plan, Roster):
            return await importing.import_roster(engine, plan, key=self._site.secret, **asked)
        return await importing.import_bank(engine, plan, keep_others=job.params["add"], **asked)


async def _beat(engine: AsyncEngine, job_id: int, far: _Far) -> None:
    while True:
        # A beat that is missed is made good by the next; what cannot be reached at all is lost in the end.
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with engine.begin() as conn:
                await site_jobs.beat(conn, job_id, far.stage, far.done, far.total)
        await asyncio.sleep(BEAT_S)


def _read(job: Job, body: bytes, far: _Far) -> tuple[Roster | Bank | None, Report]:
    """The file as the importers read it: from a folder of its own, under its own name, which reports repeat."""
    if hashlib.sha256(body).hexdigest() != job.sha256:
        raise Refused("import-outdated")

    def rows(done: int) -> None:
        far.tell("read", done, 0)

    with tempfile.TemporaryDirectory(prefix="holdfast-import-") as folder:
        path = Path(folder) / file_name(job.name)
        path.write_bytes(body)
        if job.kind == "roster":
            roster, report, _ = read_roster(path, progress=rows)
            return roster, report
        items, report, _ = read_bank(path, progress=rows)
        return items, report


def file_name(name: str) -> str:
    """What the browser calls the file, as a name in one folder; ≤ 200 bytes."""
    plain = "".join("_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in name).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending.encode()) > LONGEST_ENDING:
        stem, dot, ending = plain, "", ""
    ending = dot + ending
    return (stem.encode()[: LONGEST_NAME - len(ending.encode())].decode(errors="ignore") + ending) or "file"


def _told(outcome: Outcome, report: Report) -> dict[str, Any]:
    told = outcome.as_json()
    notes = [
        {"code": code, "count": len(notes), "zh": notes[0].what.zh, "en": notes[0].what.en,
         "places": [note.place.reference for note in notes[:render.PLACES_SHOWN]]}
        for code, notes in report.notes_by_code().items()
    ]  # fmt: skip
    lines = [dict(zip(("zh", "en"), change.line(), strict=True)) for change in outcome.changes[:CHANGES_TOLD]]
    return {
        "outcome": outcome.state, "exam": told["exam"], "counts": told["counts"], "summary": told["summary"],
        "count": len(outcome.changes), "digest": outcome.digest, "changes": lines,
        "blocked": told["blocked"][:CHANGES_TOLD], "remarks": told["notes"], "notes": notes,
    }  # fmt: skip


def _refusal(code: str) -> dict[str, Any]:
    refused = Refused(code)
    return _said(code, refused.text("zh"), refused.text("en"))


def _said(code: str, zh: str, en: str) -> dict[str, Any]:
    return {"code": code, "zh": zh, "en": en}
