"""Everything a draw looks at, read once: the session's people and bank, and what the rest of the exam leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import papers as domain
from app.domain.blueprint import Blueprint, parse
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, loose_options
from app.storage.postgres import draw_inputs
from app.storage.postgres.draw_inputs import Row


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a draw looks at. ``bank`` is item number → row; ``people`` ticket → row of ``draw_inputs.seating``."""

    session: Row
    blueprint: Blueprint
    bank: Mapping[str, Row]
    people: Mapping[str, Row]
    candidates: list[Candidate]
    # What of the rest of the exam was looked at: the draws in force, and the blueprints of sessions still to be drawn.
    draws: list[int]
    planned: Mapping[int, Any]

    @property
    def label(self) -> str:
        return str(self.session["number"])

    @property
    def items(self) -> list[Item]:
        return [item_of(row) for row in self.bank.values()]

    def digest(self, columns: int | None) -> bytes:
        return domain.inputs_digest(self.blueprint, self.items, self.candidates, columns)

    def record(self, columns: int | None) -> dict[str, Any]:
        """``draw.spec``: what to draw the same papers from again, besides the seed."""
        return {
            "blueprint": self.blueprint.spec(),
            "columns": columns,
            "versions": sorted(row["version_id"] for row in self.bank.values()),
            "places": sorted([*candidate.place, candidate.ticket] for candidate in self.candidates),
            "draws": self.draws,
            "planned": {str(number): spec for number, spec in self.planned.items()},
            # Which of those each still has to sit: people may be moved between rounds later.
            "plans": {candidate.ticket: list(candidate.plan) for candidate in self.candidates if candidate.later},
            "inputs": self.digest(columns).hex(),
        }


def item_of(row: Mapping[str, Any]) -> Item:
    """The domain's item of a row of ``draw_inputs.bank``."""
    ids = [option["id"] for option in row["options"]]
    if any(len(each) != 1 for each in ids):
        raise ValueError(f"item {row['number']}: an option order is spelled in one-letter ids, not {ids}")
    texts = [option["text"] for option in row["options"]]
    loose = loose_options(row["type"], texts)
    return Item(row["number"], row["topic"], row["type"], "".join(ids), row["points_milli"], loose)


def place_of(row: Row) -> tuple[str, int]:
    """Where a row of ``draw_inputs.seating`` sits; rooms sort by their ordinal."""
    return f"{row['room_ordinal']:06} {row['room']}", row["seat"]


async def read(conn: AsyncConnection, session: Row) -> Inputs:
    """The inputs of drawing the session now. Refused with ``nobody-allocated`` or as ``blueprint.parse`` refuses."""
    exam_id, session_id = session["exam_id"], session["id"]
    seating = await draw_inputs.seating(conn, session_id)
    if not seating:
        raise Refused("nobody-allocated", session=session["number"])
    bank = await draw_inputs.bank(conn, exam_id)
    draws = await draw_inputs.draws_elsewhere(conn, exam_id, session_id)
    planned = await draw_inputs.planned(conn, exam_id, session_id)
    return Inputs(
        session=session,
        blueprint=parse(session["blueprint"]),
        bank={row["number"]: row for row in bank},
        people={row["ticket"]: row for row in seating},
        candidates=await candidates_of(
            conn,
            session,
            {row["ticket"]: (row["candidate_id"], place_of(row)) for row in seating},
            draws=draws,
            planned=planned,
        ),
        draws=draws,
        planned=planned,
    )


async def candidates_of(
    conn: AsyncConnection,
    session: Row,
    people: Mapping[str, tuple[int, tuple[str, int]]],
    *,
    draws: list[int],
    planned: Mapping[int, Any],
    plans: Mapping[str, list[int]] | None = None,
) -> list[Candidate]:
    """Everyone in ``people`` (ticket → id, place) with the items they have from ``draws`` and what is ``planned``: for
    whom, by their allocations, or as ``plans`` (ticket → session numbers) has it on record."""
    taken = await draw_inputs.drawn_by(conn, draws, session["id"])
    sat = await draw_inputs.sat_by(conn, session["exam_id"])
    ahead = {number: parse(spec) for number, spec in sorted(planned.items())}
    later: dict[frozenset[int], tuple[tuple[int, Blueprint], ...]] = {}
    candidates: list[Candidate] = []
    for ticket, (candidate_id, place) in people.items():
        sits = sat.get(candidate_id, ()) if plans is None else plans.get(ticket, ())
        mine = frozenset(ahead).intersection(sits)
        if mine not in later:
            later[mine] = tuple((number, blueprint) for number, blueprint in ahead.items() if number in mine)
        candidates.append(Candidate(ticket, place, frozenset(taken.get(candidate_id, ())), later[mine]))
    return candidates
