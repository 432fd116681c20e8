"""Drawing a session's papers (抽题): read, draw, check, store; all of it in one transaction, before the session starts.

1. The exam and the session are locked: no second draw of the exam runs beside this one (its papers would not be seen
   as taken), and the day is not opened between reading the start and writing the ends.
2. The session's attempts are locked as the writer locks them. A sign-in has either happened, and the draw is refused,
   or waits for the new papers.
3. The domain draws; every paper is checked against the blueprint and the rules by code that does not know how it was
   drawn. A fault stores nothing.
4. Attempts, papers and their items go in by COPY, with the draw's seed and everything it looked at, so that anyone can
   draw the same papers again (``paper_check``). One entry in the audit log, last.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain import papers as domain
from app.domain.errors import Refused
from app.domain.paper_rules import Paper, verify
from app.services import paper_inputs
from app.services.paper_bodies import Bodies, Body
from app.services.paper_inputs import Inputs
from app.storage.postgres import audit, draw_inputs
from app.storage.postgres import papers as store
from app.storage.postgres.draw_inputs import Row

Progress = domain.Progress
T = TypeVar("T")

JOB_TIMEOUT = timedelta(minutes=10)
# What is seen where no papers are.
NOTHING = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn. ``seconds`` is how long each stage took; ``bytes`` what the papers weigh, compressed."""

    session: int
    draw_id: int
    papers: int
    items: int
    seed: str
    digest: str
    replaced: int
    bytes: int
    seconds: dict[str, float] = field(compare=False)


async def draw_session(
    engine: AsyncEngine,
    session_id: int,
    *,
    seed: str | None = None,
    columns: int | None = None,
    redraw: bool = False,
    seen: str | None = None,
    actor: str = "draw",
    staff_id: int | None = None,
    job_timeout: timedelta = JOB_TIMEOUT,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Drawn:
    """Draw and store the papers of everyone allocated to the session. ``progress`` hears (stage, done, total); the
    stages are read, select, place, check, build, store. ``seen``: the digest of the papers that somebody looked at when
    they asked, ``NOTHING`` for none; None asks nothing.

    Refused with ``draw-changed`` (other papers than those ``seen``), ``session-started``, ``papers-in-use``,
    ``already-drawn`` (without ``redraw``), ``blueprint-missing``, ``nobody-allocated``, ``not-found``, or as
    ``domain.papers.draw`` refuses. Nothing is stored then.
    """
    clock = _Stages()
    seed = seed if seed is not None else secrets.token_hex(16)
    async with engine.begin() as conn:
        await draw_inputs.allow_long(conn, int(job_timeout.total_seconds() * 1000))
        session, attempts, replaced = await _lock(conn, session_id, redraw=redraw, seen=seen)
        inputs = await paper_inputs.read(conn, session)
        progress("read", 1, 1)
        clock.mark("read")
        papers = await asyncio.to_thread(_draw, inputs, seed, columns, progress, clock)
        bodies = await asyncio.to_thread(_build, inputs, papers, progress)
        clock.mark("build")
        if replaced:
            await store.remove_papers(conn, session_id)
        digest = domain.digest(papers)
        draw_id = await store.add_draw(
            conn, session_id, seed=seed, spec=inputs.record(columns), papers=len(papers), digest=digest
        )
        made = list(zip(papers, bodies, strict=True))
        await _store(conn, inputs, attempts, draw_id=draw_id, made=made, progress=progress)
        await _refuse_started(conn, session)
        await audit.append(
            conn,
            actor=actor,
            action="papers.redraw" if replaced else "papers.draw",
            subject={
                "exam": session["exam_code"],
                "session": session["number"],
                "session_id": session_id,
                "draw": draw_id,
                "papers": len(papers),
                "digest": digest.hex(),
            },
            staff_id=staff_id,
        )
    clock.mark("store")
    return Drawn(
        session=session["number"],
        draw_id=draw_id,
        papers=len(papers),
        items=inputs.blueprint.count,
        seed=seed,
        digest=digest.hex(),
        replaced=replaced,
        bytes=sum(len(body.gzip) for body in bodies),
        seconds=clock.seconds,
    )


class _Stages:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now


# --- read


async def _lock(
    conn: AsyncConnection, session_id: int, *, redraw: bool, seen: str | None
) -> tuple[Row, dict[int, Row], int]:
    """The session, its attempts by candidate, and how many papers there are to replace."""
    session = await draw_inputs.lock_session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    attempts = await draw_inputs.lock_attempts(conn, session_id)
    drawn = await store.count(conn, session_id)
    # What was asked for was judged by a page, before these locks: another draw may have got on in between.
    if seen is not None and (await store.newest_digest(conn, session_id) if drawn else NOTHING) != seen:
        raise Refused("draw-changed", session=session["number"], papers=drawn)
    await _refuse_started(conn, session)
    if in_use := sum(row["in_use"] for row in attempts):
        raise Refused("papers-in-use", session=session["number"], count=in_use)
    if drawn and not redraw:
        raise Refused("already-drawn", session=session["number"], papers=drawn)
    if session["blueprint"] is None:
        raise Refused("blueprint-missing", session=session["number"])
    return session, {row["candidate_id"]: row for row in attempts}, drawn


async def _refuse_started(conn: AsyncConnection, session: Row) -> None:
    if session["start_ms"] is not None and await draw_inputs.service_ms(conn) >= session["start_ms"]:
        raise Refused("session-started", session=session["number"])


# --- draw and build (in a thread: seconds of computing that the event loop should not wait for)


def _draw(inputs: Inputs, seed: str, columns: int | None, progress: Progress, clock: _Stages) -> list[Paper]:
    items = inputs.items
    papers = domain.draw(
        inputs.blueprint, items, inputs.candidates, seed, label=inputs.label, columns=columns, progress=progress
    )
    clock.mark("draw")
    faults = verify(inputs.blueprint, items, inputs.candidates, papers, columns=columns)
    if faults:
        told = "; ".join(f"{fault.rule} {fault.ticket} {fault.detail}" for fault in faults[:5])
        raise Refused("draw-faulty", faults=told)
    progress("check", len(papers), len(papers))
    clock.mark("check")
    return papers


def _build(inputs: Inputs, papers: list[Paper], progress: Progress) -> list[Body]:
    bodies = Bodies(inputs.blueprint, inputs.bank)
    return [bodies.make(paper) for paper in _told(papers, len(papers), 50, "build", progress)]


# --- store


async def _store(
    conn: AsyncConnection,
    inputs: Inputs,
    attempts: Mapping[int, Row],
    *,
    draw_id: int,
    made: list[tuple[Paper, Body]],
    progress: Progress,
) -> None:
    session = inputs.session
    ids: dict[str, UUID] = {}
    new: list[store.AttemptRow] = []
    for ticket, person in inputs.people.items():
        allotted_ms = session["duration_ms"] + person["extra_time_ms"]
        known = attempts.get(person["candidate_id"])
        ids[ticket] = known["id"] if known else uuid4()
        if known is None:
            end_ms = None if session["start_ms"] is None else session["start_ms"] + allotted_ms
            new.append(store.AttemptRow(ids[ticket], session["id"], person["candidate_id"], allotted_ms, end_ms))
        elif known["allotted_ms"] != allotted_ms:
            await store.reallot(conn, known["id"], allotted_ms - known["allotted_ms"])
    version = {number: row["version_id"] for number, row in inputs.bank.items()}
    items = (
        store.PaperItemRow(ids[paper.ticket], position, version[entry.number], entry.order, entry.points_milli)
        for paper, _ in made
        for position, entry in enumerate(paper.entries, start=1)
    )
    count = inputs.blueprint.count
    await store.copy_attempts(conn, new)
    await store.copy_papers(
        conn, [store.PaperRow(ids[paper.ticket], draw_id, count, body.gzip, body.etag) for paper, body in made]
    )
    await store.copy_paper_items(conn, _told(items, count * len(made), 5_000, "store", progress))


def _told(values: Iterable[T], total: int, every: int, stage: str, progress: Progress) -> Iterator[T]:
    for done, value in enumerate(values, start=1):
        yield value
        if done % every == 0 or done == total:
            progress(stage, done, total)
