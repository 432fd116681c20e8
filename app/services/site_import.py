"""Reading a file, comparing it and bringing it in, in a process of its own: ``python -m app.services.site_import``.

The file is the one that was kept with the job; the child (``site_child``) reads it there, it is not handed over.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.errors import Refused
from app.importers import render
from app.importers.bank import read_bank
from app.importers.faults import Report, Unreadable
from app.importers.model import Bank, Roster
from app.importers.roster import read_roster
from app.services import importing, site_child
from app.services.changes import Outcome
from app.services.import_target import Target
from app.services.importing import Mode, Source
from app.services.site_child import End, Tell
from app.settings import Settings
from app.storage.postgres import site_jobs
from app.storage.postgres.site_jobs import Job

MODULE = "app.services.site_import"
# A file with more faults than this is another file; how many there are is counted in any case.
FAULTS_KEPT = 5_000
CHANGES_TOLD = 200
# Bytes of a file's name on a disk, and of what may be its ending.
LONGEST_NAME, LONGEST_ENDING = 200, 20


def order(settings: Settings, database_url: str, job_id: int, secret: bytes) -> bytes:
    """The line that has a job's file checked or brought in. ``secret``: the site's, which keys the HMAC of ID tails."""
    return site_child.order(settings, database_url, job_id=job_id, secret=secret.hex())


async def _import(asked: Mapping[str, Any], _settings: Settings, engine: AsyncEngine, tell: Tell) -> End:
    async with engine.begin() as conn:
        job = await site_jobs.find(conn, asked["job_id"])
        body = await site_jobs.body(conn, asked["job_id"])
    if job is None:
        raise Refused("not-found")
    try:
        plan, report = _read(job, body or b"", tell)
    except Unreadable as fault:
        return End("refused", site_child.said(fault.code, fault.sentence.zh, fault.sentence.en))
    if plan is None:
        zh, en = render.headline(report)
        found = report.as_json()
        async with engine.begin() as conn:
            await site_jobs.report(conn, job.id, found["faults"][:FAULTS_KEPT])
        return End("faulty", {"zh": zh, "en": en, "count": report.fault_count, "codes": found["fault_codes"]})
    outcome = await _bring(engine, job, plan, bytes.fromhex(asked["secret"]), tell)
    result = _told(outcome, report)
    if outcome.state == "blocked":
        return End("refused", {**result, **site_child.words(Refused("import-blocked"))})
    return End("checked" if outcome.state in ("would-import", "would-change") else "done", result)


async def _bring(engine: AsyncEngine, job: Job, plan: Roster | Bank, secret: bytes, tell: Tell) -> Outcome:
    expect = job.params.get("apply")
    mode: Mode = "show" if expect is None else "apply"
    tell("compare" if expect is None else "write", 0, 0)
    asked: dict[str, Any] = {
        "source": Source(job.name, job.sha256),
        "target": Target(job.exam_code),
        "mode": mode,
        "expect": expect,
        "progress": lambda done, total: tell("write", done, total),
        "actor": job.params.get("by", "import"),
        "staff_id": job.params.get("staff_id"),
    }
    if isinstance(plan, Roster):
        return await importing.import_roster(engine, plan, key=secret, **asked)
    return await importing.import_bank(engine, plan, keep_others=job.params["add"], **asked)


def _read(job: Job, body: bytes, tell: Tell) -> tuple[Roster | Bank | None, Report]:
    """The file as the importers read it: from a folder of its own, under its own name, which reports repeat."""
    if hashlib.sha256(body).hexdigest() != job.sha256:
        raise Refused("import-outdated")

    def rows(done: int) -> None:
        tell("read", done, 0)

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


if __name__ == "__main__":
    site_child.serve(_import, "holdfast-site-import")
