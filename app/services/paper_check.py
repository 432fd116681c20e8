"""Checking what is stored: do a session's papers keep the rules, and do the recorded seed and inputs make them again?

Three questions, each answered from the record alone: the rules (``domain.paper_rules``), the bytes browsers get against
the rows staff and scoring read, and the draw itself, repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain import papers as domain
from app.domain.blueprint import parse
from app.domain.errors import Refused
from app.domain.paper_rules import Fault, Paper, verify
from app.services import round_check, stored_papers
from app.services.paper_inputs import Inputs, candidates_of, place_of
from app.storage.postgres import draw_inputs
from app.storage.postgres import papers as store

# yes; no: other papers come out; inputs-changed: what was drawn from is no longer all there (another session was drawn
# again, somebody was allocated since), so it cannot be told.
Reproduced = Literal["yes", "no", "inputs-changed"]


@dataclass(frozen=True, slots=True)
class Report:
    session: int
    papers: int
    seed: str
    digest: str
    faults: list[Fault]
    reproduced: Reproduced

    @property
    def ok(self) -> bool:
        return not self.faults and self.reproduced != "no"


async def check_session(engine: AsyncEngine, session_id: int) -> Report:
    """Check the session's papers. Refused with ``not-found`` or ``not-drawn``. Writes nothing."""
    async with engine.connect() as conn:
        # One snapshot: a redraw committed between two reads would look like a fault.
        await conn.execution_options(isolation_level="REPEATABLE READ")
        session = await draw_inputs.session(conn, session_id)
        if session is None:
            raise Refused("not-found")
        draws = [dict(row) for row in await store.draws_of(conn, session_id)]
        if not draws:
            raise Refused("not-drawn", session=session["number"])
        stored = [dict(row) for row in await store.stored(conn, session_id)]
        if not _together(draws, stored, session_id):
            parts = [await round_check.read_draw(conn, row, session["exam_id"]) for row in draws]
            seats = await draw_inputs.seating(conn, session_id)
            places = {row["ticket"]: place_of(row) for row in seats}
            return await asyncio.to_thread(_check_parts, session["number"], parts, stored, places)
        inputs = await _inputs(conn, session, draws[0]["spec"])
    return await asyncio.to_thread(_check, inputs, draws[0], stored)


def _together(draws: Sequence[Mapping[str, Any]], stored: Sequence[Any], session_id: int) -> bool:
    """Whether the session's papers are one draw of it, whole: nobody was moved to another round, or from one."""
    drawn = draws[0]
    whole = len(draws) == 1 and drawn["session_id"] == session_id and drawn["papers"] <= len(stored)
    return whole and "among" not in drawn["spec"]


def _check_parts(
    number: int,
    parts: Sequence[round_check.Draw],
    stored: Sequence[Mapping[str, Any]],
    places: Mapping[str, tuple[str, int]],
) -> Report:
    papers, faults, again = round_check.check(parts, stored, places)
    reproduced: Reproduced = "inputs-changed" if again is None else "yes" if again else "no"
    seed = parts[0].row["seed"]
    return Report(number, len(papers), seed, domain.digest(papers).hex(), faults, reproduced)


async def _inputs(conn: AsyncConnection, session: dict[str, Any], spec: Mapping[str, Any]) -> Inputs:
    """What the draw looked at, from its own record: later imports and moves to other seats do not reach it."""
    ids = await draw_inputs.candidate_ids(conn, session["exam_id"])
    places = {ticket: (ids[ticket], (room, seat)) for room, seat, ticket in spec["places"] if ticket in ids}
    planned = {int(number): blueprint for number, blueprint in spec["planned"].items()}
    return Inputs(
        session=session,
        blueprint=parse(spec["blueprint"]),
        bank={row["number"]: row for row in await draw_inputs.versions(conn, spec["versions"])},
        people={},
        candidates=await candidates_of(
            conn, session, places, draws=spec["draws"], planned=planned, plans=spec.get("plans")
        ),
        draws=spec["draws"],
        planned=planned,
    )


def _check(inputs: Inputs, drawn: dict[str, Any], stored: Sequence[Mapping[str, Any]]) -> Report:
    papers: list[Paper] = []
    faults: list[Fault] = []
    for row in stored:
        paper, found = stored_papers.read(row, inputs.bank, inputs.blueprint)
        papers.append(paper)
        faults += found
    items, columns = inputs.items, drawn["spec"]["columns"]
    faults += verify(inputs.blueprint, items, inputs.candidates, papers, columns=columns)
    digest = domain.digest(papers)
    if digest != bytes(drawn["digest"]):
        faults.append(Fault("papers", "", "the papers are not those that were drawn: the digest differs"))
    return Report(
        session=inputs.session["number"],
        papers=len(papers),
        seed=drawn["seed"],
        digest=digest.hex(),
        faults=faults,
        reproduced=_again(inputs, drawn),
    )


def _again(inputs: Inputs, drawn: dict[str, Any]) -> Reproduced:
    spec = drawn["spec"]
    if inputs.digest(spec["columns"]).hex() != spec["inputs"]:
        return "inputs-changed"
    papers = domain.draw(
        inputs.blueprint,
        inputs.items,
        inputs.candidates,
        drawn["seed"],
        label=inputs.label,
        columns=spec["columns"],
    )
    return "yes" if domain.digest(papers) == bytes(drawn["digest"]) else "no"
