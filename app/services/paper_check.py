"""Checking what is stored: do a session's papers keep the rules, and do the recorded seed and inputs make them again?

Three questions, each answered from the record alone: the rules (``domain.paper_rules``), the bytes browsers get against
the rows staff and scoring read, and the draw itself, repeated.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain import papers as domain
from app.domain.blueprint import Blueprint, parse
from app.domain.errors import Refused
from app.domain.paper_rules import Entry, Fault, Paper, verify
from app.services import paper_bodies
from app.services.paper_inputs import Inputs, candidates_of
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
        drawn = await store.last_draw(conn, session_id)
        if drawn is None:
            raise Refused("not-drawn", session=session["number"])
        inputs = await _inputs(conn, session, drawn["spec"])
        stored = await store.stored(conn, session_id)
    return await asyncio.to_thread(_check, inputs, dict(drawn), [dict(row) for row in stored])


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
        candidates=await candidates_of(conn, session, places, draws=spec["draws"], planned=planned),
        draws=spec["draws"],
        planned=planned,
    )


def _check(inputs: Inputs, drawn: dict[str, Any], stored: Sequence[Mapping[str, Any]]) -> Report:
    number = {row["version_id"]: row["number"] for row in inputs.bank.values()}
    papers: list[Paper] = []
    faults: list[Fault] = []
    for row in stored:
        rows = list(zip(row["versions"] or (), row["orders"] or (), row["points"] or (), strict=True))
        entries = tuple(Entry(number.get(version, f"#{version}"), order, points) for version, order, points in rows)
        papers.append(Paper(row["ticket"], entries))
        if (row["positions"] or []) != list(range(1, row["item_count"] + 1)):
            faults.append(Fault("body", row["ticket"], "positions are missing"))
        faults += [Fault("body", row["ticket"], told) for told in _body(row, inputs.blueprint, rows)]
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


def _body(row: Mapping[str, Any], blueprint: Blueprint, rows: list[tuple[int, str, int]]) -> list[str]:
    try:
        body = paper_bodies.read(bytes(row["body"]))
        return paper_bodies.faults(body, row["etag"], blueprint, rows)
    except (zlib.error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        return [f"the stored bytes are damaged: {error}"]


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
