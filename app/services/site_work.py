"""The work of a console job: a file checked or brought in, papers drawn.

A job is worked on by a child of the process that was asked (``site_import``, ``site_draw``), so that the loop that
answers candidates does nothing but listen to it. A beat tells how far it is; when the process ends in the middle the
beat stops, the transaction is undone with the child, and pages are told that the job is lost.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from app.domain.errors import Refused
from app.services import site_child, site_draw, site_import
from app.services.site import Site
from app.services.site_child import End
from app.storage.postgres import site_jobs
from app.storage.postgres.engine import create_engine
from app.storage.postgres.site_jobs import Job

log = structlog.get_logger(__name__)
BEAT_S = 0.4


@dataclass(slots=True)
class _Far:
    """How far the work is; written by whoever listens to the child, read by the beat."""

    stage: str = "read"
    done: int = 0
    total: int = 0

    def tell(self, stage: str, done: int, total: int) -> None:
        self.stage, self.done, self.total = stage, done, total


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
            if job is None:
                return
            far = _Far()
            beat = asyncio.create_task(_beat(engine, job_id, far))
            try:
                end = await self._work(job, far)
            finally:
                await background.end(beat)
            async with engine.begin() as conn:
                kept = await site_jobs.end(conn, job_id, end.state, end.result)
            log.info("site job", job=job_id, kind=job.kind, state=end.state, kept=kept)
        except (SQLAlchemyError, OSError, TimeoutError) as fault:
            # The row says nothing any more: it is lost, as soon as its beat is old.
            log.warning("site job failed", job=job_id, fault=repr(fault))
        finally:
            await engine.dispose()

    async def _work(self, job: Job, far: _Far) -> End:
        try:
            return await site_child.ask(*self._order(job), far.tell)
        except Refused as refused:
            return End("refused", site_child.words(refused))
        except (SQLAlchemyError, OSError, TimeoutError) as fault:
            log.warning("site job undone", job=job.id, fault=repr(fault))
            return End("failed", site_child.words(Refused("site-job-undone")))
        except site_child.Killed as fault:
            log.warning("site job killed", job=job.id, fault=repr(fault))
            return End("failed", site_child.words(Refused("site-job-killed")))
        except Exception:
            log.exception("site job undone", job=job.id)
            return End("failed", site_child.words(Refused("site-job-broken")))

    def _order(self, job: Job) -> tuple[str, bytes]:
        settings, url = self._site.settings, self._site.database_url
        if job.kind != "draw":
            return site_import.MODULE, site_import.order(settings, url, job.id, self._site.secret)
        if job.session_id is None:
            raise Refused("not-found")
        return site_draw.MODULE, site_draw.order(settings, url, job.session_id, job.params)


async def _beat(engine: AsyncEngine, job_id: int, far: _Far) -> None:
    while True:
        # A beat that is missed is made good by the next; what cannot be reached at all is lost in the end.
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with engine.begin() as conn:
                await site_jobs.beat(conn, job_id, far.stage, far.done, far.total)
        await asyncio.sleep(BEAT_S)
