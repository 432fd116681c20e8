"""Candidates' photos over HTTP: the office brings in an archive, staff and the candidate see one.

The archive is the bare body. The reply is lines of JSON, because reading 1,880 pictures takes a minute or two:
``{"done", "total"}`` again and again, then ``{"report"}``, or ``{"refused"}`` with a problem. What is stored, is stored
under the request's Idempotency-Key; an archive that was sent twice changes nothing the second time anyway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.api import problems
from app.api.access import needs
from app.api.deps import Deps, claims_of, get_deps
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import Key, SessionId
from app.domain.errors import Refused
from app.domain.photos import Person
from app.importers.photos import Archive, Source
from app.services import exporting, lost_grant, photos, staff_requests
from app.services.photos import Prepared
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import exams
from app.storage.postgres import photos as stored
from app.storage.postgres.exams import Exam
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
PATH = "/api/v1/staff/photos"
ManageSite = Annotated[Login, needs("manage-site")]
ExamId = Annotated[int, Query(alias="exam", ge=1, le=BIGGEST_ID)]
FileName = Annotated[str, Query(max_length=255, pattern=r"^[^\x00]*$")]
Ticket = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z-]{1,64}$")]
BLOCK = 1024 * 1024
TOLD_EVERY_S = 0.3
# One at a time in a process: decoding takes a core, and candidates' answers need the other.
_turn = asyncio.Semaphore(1)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@router.get("/photos")
async def missing(request: Request, _login: ManageSite, exam: ExamId) -> dict[str, Any]:
    """Who has no photo: `{exam, name, people, missing: [{ticket, name}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await photos.missing(conn, exam)


@router.post("/photos")
async def bring(
    request: Request,
    login: ManageSite,
    key: Key,
    exam: ExamId,
    *,
    name: FileName = "photos.zip",
    dry_run: bool = False,
    skip_faulty: bool = False,
) -> StreamingResponse:
    """Import a .zip of photos named by ticket or ID number, all or none: lines `{done, total}`, last `{report}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        found = next((one for one in await exams.every(conn) if one.id == exam), None)
        if found is None:
            raise Refused("not-found")
        people = await stored.people(conn, exam)
    if _turn.locked():
        raise Refused("photos-under-way")
    await _turn.acquire()
    try:
        out = exporting.scratch()
        try:
            await _keep(request, out, deps.settings.max_photos_bytes)
            archive = await exporting.apart(lambda: Archive(out, name))
        except BaseException:
            out.close()
            raise
    except BaseException:
        _turn.release()
        raise
    work = _Work(deps, login, key, found, people, archive, out, dry_run=dry_run, skip_faulty=skip_faulty)
    return StreamingResponse(work.lines(), media_type="application/x-ndjson", headers=_HEADERS)


async def _keep(request: Request, out: IO[bytes], most: int) -> None:
    """The body into a file, by the megabyte, in a thread. Refused body-too-large."""
    size, waiting = 0, bytearray()
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refused("body-too-large", limit=most)
        waiting += part
        if len(waiting) >= BLOCK:
            await exporting.apart(lambda block=bytes(waiting): out.write(block))  # type: ignore[misc]
            waiting.clear()
    await exporting.apart(lambda: out.write(bytes(waiting)))


class _GivenUp(Exception):  # noqa: N818 -- names the state
    """The page that waits for the import has gone, or has stopped it."""


class _Work:
    """One import under way; holds the turn and the file until its lines have been told or given up."""

    def __init__(
        self,
        deps: Deps,
        login: Login,
        key: str,
        exam: Exam,
        people: list[Person],
        archive: Source,
        out: IO[bytes],
        *,
        dry_run: bool,
        skip_faulty: bool,
    ) -> None:
        self._deps, self._login, self._key, self._exam, self._people = deps, login, key, exam, people
        self._archive, self._out = archive, out
        self._dry_run, self._skip_faulty = dry_run, skip_faulty
        self._done, self._total = 0, len(archive)
        self._given_up = False

    async def lines(self) -> AsyncIterator[bytes]:
        reading = asyncio.ensure_future(
            asyncio.to_thread(photos.prepare, self._exam, self._people, self._archive, self._told)
        )
        try:
            while not (await asyncio.wait({reading}, timeout=TOLD_EVERY_S))[0]:
                yield _line({"done": self._done, "total": self._total})
            yield _line({"done": self._total, "total": self._total})
            yield _line(await self._finish(reading.result()))
        finally:
            # Whoever gives up waits until the thread has let go of the file, which it does at the next picture.
            self._given_up = True
            await asyncio.shield(self._let_go(reading))

    def _told(self, done: int, total: int) -> None:
        if self._given_up:
            raise _GivenUp
        self._done, self._total = done, total

    async def _finish(self, prepared: Prepared) -> dict[str, Any]:
        looked = photos.report(prepared, self._people, skip_faulty=self._skip_faulty, dry_run=self._dry_run)
        if self._dry_run or looked.state == "faulty":
            return {"report": looked.as_json()}
        body = {"exam": self._exam.code, "sha256": prepared.sha256, "skip": self._skip_faulty}
        try:
            # Connections of its own: the photos of a hall take longer to write than a request may hold one.
            async with exporting.own_engine(self._deps.settings, self._deps.site.database_url) as engine:
                asked = StaffRequest(self._key, f"photos {self._exam.id}", body)
                now_ms = self._deps.service_time.now_ms()

                async def act(conn: Any) -> Done:
                    return (await photos.store(conn, prepared, skip_faulty=self._skip_faulty))[1]

                return {"report": await staff_requests.once(engine, self._login, asked, act, now_ms=now_ms)}
        except problems.KNOWN as fault:
            # The status has been sent: what is left is to say so.
            log.warning("photos not stored", fault=repr(fault))
            return problems.last_line(fault)

    async def _let_go(self, reading: asyncio.Future[Prepared]) -> None:
        await asyncio.wait({reading})
        fault = reading.exception()
        if fault is not None and not isinstance(fault, _GivenUp):
            log.error("photos not read", exc_info=fault)
        self._out.close()
        _turn.release()


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


@router.get("/candidates/{ticket}/photo")
async def of_candidate(
    request: Request, login: Annotated[Login, needs("check-in")], ticket: Ticket, session: SessionId
) -> Response:
    """The photo of a candidate of one's own room, or one who is being moved there; 204: there is none."""
    async with get_deps(request).engine.connect() as conn:
        candidate_id = await photos.for_staff(conn, login, session, ticket)
        # The page has it: the bytes stay where they are.
        if _known(request, await stored.sha256(conn, candidate_id)):
            return Response(status_code=304, headers={"Cache-Control": "private, no-cache"})
        return _shown(request, await stored.body(conn, candidate_id))


async def own(request: Request) -> Response:
    """The candidate's own photo, under the lease of the device that asks; 204: there is none."""
    deps, claims = get_deps(request), claims_of(request)
    deps.site.require_postgres()
    deps.site.refuse_foreign(claims.lineage_n)
    async with deps.engine.connect() as conn:
        found = await stored.of_attempt(conn, claims.attempt)
    if found is None:
        raise Refused("bad-token")
    epoch, photo = found
    lost_grant.refuse_lost(claims, epoch)
    if epoch != claims.epoch:
        raise Refused("superseded", seat="", items=[])
    return _shown(request, photo)


def _known(request: Request, sha256: str | None) -> bool:
    return sha256 is not None and request.headers.get("if-none-match") == f'"{sha256}"'


def _shown(request: Request, photo: tuple[str, str, bytes] | None) -> Response:
    """Kept by the browser that asked, and asked for again each time: whoever may see it is decided anew."""
    if photo is None:
        # Nothing is wrong with having none: no page has to tell it from a fault.
        return Response(status_code=204, headers={"Cache-Control": "private, no-cache"})
    sha256, content_type, body = photo
    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if _known(request, sha256):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=content_type)


ROUTES = [Route("/api/v1/attempt/photo", own, methods=["GET"])]
