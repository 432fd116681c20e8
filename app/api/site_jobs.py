"""Rosters, banks and draws from the browser: a file is sent, checked, shown, and brought in when somebody says so.

A job is told by its row, to every page and from every process: a page that is reloaded asks for the exam and finds the
job where it was. While it is worked on, a page asks again every second.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.deps import get_deps
from app.api.evidence import sent
from app.api.schemas.incidents import Language
from app.api.schemas.site import Confirm, Draw
from app.api.schemas.staff import BIGGEST_ID
from app.api.site import LOOKING, Office, once
from app.api.staff import Id, Key
from app.documents.rows import TYPES, Column, Form, writer
from app.domain.errors import Refused
from app.importers.template import write_template
from app.services import site_jobs
from app.services.site_import import FAULTS_KEPT
from app.services.site_work import Jobs
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import site_jobs as stored

router = APIRouter(prefix="/api/v1/staff/site", tags=["staff"])
PATH = "/api/v1/staff/site/imports"
Kind = Literal["roster", "bank"]
OfExam = Annotated[int, Query(alias="exam", ge=1, le=BIGGEST_ID)]
FileName = Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
PAGE = 200
COLUMNS = (
    Column("sheet", "工作表", "Sheet", 14),
    Column("row", "行", "Row", 6),
    Column("column", "列", "Column", 14),
    Column("cell", "单元格", "Cell", 8),
    Column("value", "内容", "Value", 24),
    Column("what", "问题", "What is wrong", 48),
    Column("mend", "改法", "How to mend it", 60),
    Column("code", "代码", "Code", 20),
)


def jobs(request: Request) -> Jobs:
    return cast("Jobs", request.app.state.site_jobs)


@router.post("/imports")
async def send_file(
    request: Request, login: Office, key: Key, exam: OfExam, kind: Kind, name: FileName, *, add: bool = False
) -> dict[str, Any]:
    """Send a roster or a bank (.xlsx, .csv, .zip of .csv; the body is the file itself) and have it checked: `{job}`.

    Nothing is brought in. `add`: a bank's file holds only some of its items, the others stay.
    """
    deps = get_deps(request)
    body = await sent(request, deps.settings.max_import_bytes)
    if not body:
        raise Refused("bad-body", reason="the body is the file itself")
    sha256 = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())
    asked = StaffRequest(key, f"site.import {exam}", {"kind": kind, "name": name, "sha256": sha256, "add": add})
    act = partial(
        site_jobs.begin_import, login=login, exam_id=exam, kind=kind, name=name, body=body, sha256=sha256, add=add,
        now_ms=deps.service_time.now_ms(),
    )  # fmt: skip
    begun = await once(request, login, asked, act)
    jobs(request).start(begun["job"])
    return begun


@router.post("/sessions/{session_id}/draw")
async def draw(request: Request, login: Office, key: Key, session_id: Id, body: Draw) -> dict[str, Any]:
    """Draw everybody's paper of the session: `{job}`."""
    asked = StaffRequest(key, f"site.draw {session_id}", body.model_dump(mode="json"))
    act = partial(
        site_jobs.begin_draw, login=login, session_id=session_id, seed=body.seed, columns=body.columns,
        redraw=body.redraw, seen=body.seen, now_ms=get_deps(request).service_time.now_ms(),
    )  # fmt: skip
    begun = await once(request, login, asked, act)
    jobs(request).start(begun["job"])
    return begun


@router.get("/jobs/{job_id}", dependencies=LOOKING)
async def one(request: Request, job_id: Id) -> dict[str, Any]:
    """A job: `{job: {id, exam_id, session_id, kind, state, name, stage, done, total, percent, result, faults, by,
    made_at, ended_at}}`. `state`: waiting, working, checked (wants a person), done, faulty, refused, failed, lost or
    discarded; `result`: what it found or did."""
    return {"job": site_jobs.told(await _job(request, job_id))}


@router.post("/jobs/{job_id}/confirm")
async def confirm(request: Request, login: Office, key: Key, job_id: Id, body: Confirm) -> dict[str, Any]:
    """Bring in what was shown, and only that: `{job}`."""
    asked = StaffRequest(key, f"site.confirm {job_id}", body.model_dump(mode="json"))
    begun = await once(request, login, asked, partial(site_jobs.confirm, login=login, job_id=job_id, seen=body.seen))
    jobs(request).start(begun["job"])
    return begun


@router.post("/jobs/{job_id}/discard")
async def discard(request: Request, login: Office, key: Key, job_id: Id) -> dict[str, Any]:
    """Put a checked file away without bringing it in, one's own or somebody else's: `{job}`."""
    asked = StaffRequest(key, f"site.discard {job_id}", {})
    return await once(request, login, asked, partial(site_jobs.discard, job_id=job_id))


@router.get("/jobs/{job_id}/faults", dependencies=LOOKING)
async def faults(
    request: Request,
    job_id: Id,
    offset: Annotated[int, Query(ge=0, le=FAULTS_KEPT)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
) -> dict[str, Any]:
    """A page of the fault report, in the order of the file: `{faults: [{code, sheet, row, column, cell, value,
    what: {zh, en}, mend: {zh, en}}], total}`."""
    job = await _job(request, job_id)
    async with get_deps(request).engine.connect() as conn:
        return {"faults": await stored.faults(conn, job.id, offset, limit), "total": job.faults}


@router.get("/jobs/{job_id}/report", dependencies=LOOKING)
async def report(
    request: Request,
    job_id: Id,
    form: Annotated[Form, Query(alias="format")] = "xlsx",
    language: Language = "zh",
) -> Response:
    """The fault report as a file, `format` xlsx, csv or json, for whoever mends the list."""
    job = await _job(request, job_id)
    async with get_deps(request).engine.connect() as conn:
        found = await stored.faults(conn, job.id, 0, FAULTS_KEPT)
    body = await asyncio.to_thread(_write, found, form, language)
    name = f"{Path(job.name).stem}-faults.{form}"
    return Response(body, media_type=TYPES[form], headers=_saved_as(name))


@router.get("/templates/{kind}", dependencies=LOOKING)
async def template(kind: Kind) -> Response:
    """An empty, explained workbook to fill in."""

    def make() -> bytes:
        with tempfile.TemporaryDirectory(prefix="holdfast-template-") as folder:
            path = Path(folder) / "template.xlsx"
            write_template(kind, path)
            return path.read_bytes()

    return Response(await asyncio.to_thread(make), media_type=TYPES["xlsx"], headers=_saved_as(f"{kind}-template.xlsx"))


async def _job(request: Request, job_id: int) -> stored.Job:
    async with get_deps(request).engine.connect() as conn:
        job = await stored.find(conn, job_id)
    if job is None:
        raise Refused("not-found")
    return job


def _write(found: list[dict[str, Any]], form: Form, language: str) -> bytes:
    out = io.BytesIO()
    title = ("错误" if language == "zh" else "Faults") if form != "json" else "faults"
    pen = writer(form, out, COLUMNS, language, title=title)
    pen.write(
        [one["sheet"], one["row"], one["column"], one["cell"], one["value"], one["what"][language],
         one["mend"][language], one["code"]]
        for one in found
    )  # fmt: skip
    pen.close()
    return out.getvalue()


def _saved_as(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
