"""Checking the papers of a session to or from which people have been moved: they come from several draws.

Each paper is judged by the draw it came from, wherever its candidate sits now; neighbours by where they sit now. Even
exposure is a promise of a draw as a whole, and is judged where a draw is still together (``paper_check``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import papers as domain
from app.domain.blueprint import parse
from app.domain.paper_rules import Candidate, Fault, Paper, verify
from app.domain.round_papers import Fixed, alike, beside
from app.services import paper_inputs, stored_papers
from app.services.round_papers import Job
from app.storage.postgres import draw_inputs

Row = Mapping[str, Any]
# What of ``verify`` holds for a part of a draw, at the seats of its day.
LEFT_OUT = ("exposure", "neighbours")


class Draw:
    """One draw with what it looked at, as far as the record still tells."""

    def __init__(self, row: Row, bank: Mapping[str, Row], candidates: Sequence[Candidate]) -> None:
        self.row, self.spec, self.bank = row, row["spec"], bank
        self.blueprint = parse(self.spec["blueprint"])
        self.items = [paper_inputs.item_of(each) for each in bank.values()]
        self.candidates = {each.ticket: each for each in candidates}

    def changed(self) -> bool:
        """Whether what was drawn from is no longer all there."""
        digest = domain.inputs_digest(self.blueprint, self.items, self.candidates.values(), self.spec["columns"])
        return bool(digest.hex() != self.spec["inputs"])

    def again(self) -> list[Paper]:
        seed, label, columns = self.row["seed"], str(self.row["number"]), self.spec["columns"]
        among = self.spec.get("among")
        if among is None:
            return domain.draw(self.blueprint, self.items, self.candidates.values(), seed, label=label, columns=columns)
        fixed = [Fixed(ticket, (room, seat), tuple(numbers)) for room, seat, ticket, numbers in among["beside"]]
        people = list(self.candidates.values())
        job = Job(
            self.blueprint, self.items, people, fixed, among["exposure"], columns, seed, label, alone=among["alone"]
        )
        return job.draw()


async def read_draw(conn: AsyncConnection, row: Row, exam_id: int) -> Draw:
    """The draw of a row of ``papers.draws_of``."""
    spec = row["spec"]
    bank = {each["number"]: each for each in await draw_inputs.versions(conn, spec["versions"])}
    ids = await draw_inputs.candidate_ids(conn, exam_id)
    places = {ticket: (ids[ticket], (room, seat)) for room, seat, ticket in spec["places"] if ticket in ids}
    among = spec.get("among")
    if among is not None:
        later = {
            ticket: tuple((number, parse(blueprint)) for number, blueprint in plans)
            for ticket, plans in among["later"].items()
        }
        people = [
            Candidate(ticket, place, frozenset(among["had"][ticket]), later.get(ticket, ()))
            for ticket, (_, place) in places.items()
        ]
    else:
        planned = {int(number): blueprint for number, blueprint in spec["planned"].items()}
        session = {"id": row["session_id"], "exam_id": exam_id}
        people = await paper_inputs.candidates_of(
            conn, session, places, draws=spec["draws"], planned=planned, plans=spec.get("plans")
        )
    return Draw(row, bank, people)


def check(
    draws: Sequence[Draw], stored: Sequence[Row], places: Mapping[str, tuple[str, int]]
) -> tuple[list[Paper], list[Fault], bool | None]:
    """The papers, their faults, and whether the seeds make them again (None: it cannot be told)."""
    papers: list[Paper] = []
    faults: list[Fault] = []
    again: list[bool | None] = []
    for draw in draws:
        mine: list[Paper] = []
        for row in stored:
            if row["draw_id"] == draw.row["id"]:
                paper, found = stored_papers.read(row, draw.bank, draw.blueprint)
                mine.append(paper)
                faults += found
        people = [draw.candidates[paper.ticket] for paper in mine if paper.ticket in draw.candidates]
        found = verify(draw.blueprint, draw.items, people, mine, columns=draw.spec["columns"])
        faults += [fault for fault in found if fault.rule not in LEFT_OUT]
        again.append(None if draw.changed() else _same(draw.again(), mine))
        papers += mine
    faults += [Fault("papers", ticket, "no paper") for ticket in sorted(places.keys() - {one.ticket for one in papers})]
    here = {row["ticket"] for row in stored if row["end_reason"] != "deferred"}
    faults += _neighbours(papers, {t: place for t, place in places.items() if t in here}, draws[0].spec["columns"])
    return papers, faults, False if False in again else None if None in again else True


def _same(drawn: Sequence[Paper], stored: Sequence[Paper]) -> bool:
    by_ticket = {paper.ticket: paper for paper in drawn}
    return all(by_ticket.get(paper.ticket) == paper for paper in stored)


def _neighbours(papers: Sequence[Paper], places: Mapping[str, tuple[str, int]], columns: int | None) -> list[Fault]:
    numbers = {paper.ticket: [entry.number for entry in paper.entries] for paper in papers}
    return [
        Fault("neighbours", ticket, f"the same item at the same position as {other}")
        for ticket, others in beside(places, columns).items()
        for other in others
        if ticket < other and alike(numbers.get(ticket, []), numbers.get(other, []))
    ]
