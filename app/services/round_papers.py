"""Papers after a decision on rounds: who keeps theirs, and new ones without what their candidates have seen.

An unseen paper goes along with its candidate when the new session has the same blueprint and no neighbour there has the
same item at the same position. Everybody else gets a new one. A session that stands empty is drawn as any session is;
in one where others keep their papers the newcomers are drawn for among them (``domain.round_papers``). Every new paper
is checked by code that does not know how it was drawn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import papers as domain
from app.domain.blueprint import Blueprint, parse
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, Paper, verify
from app.domain.round_papers import Fixed, alike, beside, draw_among
from app.domain.round_picture import Move, Seat, Sitter
from app.services import paper_inputs
from app.services.paper_bodies import Bodies, Body
from app.services.round_snapshot import Known
from app.storage.postgres import draw_inputs
from app.storage.postgres import rounds as store

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The new papers of one session, and what its row of ``draw`` says."""

    session: int
    spec: Mapping[str, Any]
    moves: Sequence[Move]
    papers: Sequence[Paper]
    bodies: Sequence[Body]
    bank: Mapping[str, Row]
    count: int


@dataclass(slots=True)
class Papers:
    """``kept``: who go with the paper they have; ``later``: whose session is still to be drawn."""

    kept: list[Move] = field(default_factory=list)
    later: list[Move] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)

    @property
    def new(self) -> int:
        return sum(len(each.moves) for each in self.drawn)


async def settle(conn: AsyncConnection, known: Known, seed: str) -> Papers:
    """The papers of everybody who goes to another session. Writes nothing. Refused not-drawn, blueprint-missing, or as
    a draw refuses."""
    result = Papers()
    stored = await store.papers_of(conn, known.plan.sessions)
    for target in dict.fromkeys(move.to for move in known.plan.moves):
        await _settle_one(conn, known, target, {row["attempt_id"]: row for row in stored}, seed, result)
    return result


async def _settle_one(
    conn: AsyncConnection, known: Known, target: int, stored: Mapping[UUID, Row], seed: str, result: Papers
) -> None:
    moves = [move for move in known.plan.moves if move.to == target]
    going = {each.candidate_id for each in known.plan.sitters}
    stays = [each for each in known.picture.of(target) if each.candidate_id not in going and _open(each)]
    fixed = {each.ticket: each for each in stays if each.attempt is not None and each.attempt.id in stored}
    if not fixed and all(move.sitter.attempt is None for move in moves):
        result.later += moves
        return
    if len(fixed) < len(stays):
        raise Refused("not-drawn", session=known.sessions[target]["number"])
    specs = await store.draw_specs(conn, {row["draw_id"] for row in stored.values()})
    blueprint, columns = _in_force(known, target, stored, specs)
    had = _had(moves, await store.items_had(conn, [move.sitter.candidate_id for move in moves]))
    papers = {ticket: stored[each.attempt.id]["numbers"] for ticket, each in fixed.items() if each.attempt}
    places = {ticket: place(each.seat) for ticket, each in fixed.items()}
    near = beside({**places, **{move.sitter.ticket: place(move.seat) for move in moves}}, columns)
    draw: list[Move] = []
    for move in moves:
        paper = _unseen(move.sitter, stored)
        ticket = move.sitter.ticket
        if (
            paper is not None
            and parse(specs[paper["draw_id"]]["blueprint"]).spec() == blueprint.spec()
            and not had[ticket].intersection(paper["numbers"])
            and not any(alike(paper["numbers"], papers[other]) for other in near[ticket] if other in papers)
        ):
            papers[ticket], places[ticket] = paper["numbers"], place(move.seat)
            result.kept.append(move)
        else:
            draw.append(move)
    if not draw:
        return
    bank = {row["number"]: row for row in await draw_inputs.bank(conn, known.exam["exam_id"])}
    later = await _later(conn, known, target)
    newcomers = [
        Candidate(m.sitter.ticket, place(m.seat), had[m.sitter.ticket], later(m.sitter.candidate_id)) for m in draw
    ]
    job = Job(
        blueprint=blueprint,
        items=[paper_inputs.item_of(row) for row in bank.values()],
        newcomers=newcomers,
        fixed=[Fixed(ticket, places[ticket], tuple(numbers)) for ticket, numbers in sorted(papers.items())],
        exposure=Counter(number for numbers in papers.values() for number in numbers),
        columns=columns,
        seed=seed,
        label=str(known.sessions[target]["number"]),
        alone=not papers,
    )
    made = await asyncio.to_thread(job.draw)
    bodies = Bodies(blueprint, bank)
    by_ticket = {move.sitter.ticket: move for move in draw}
    result.drawn.append(
        Drawn(
            session=target,
            spec={**job.record(), "versions": sorted(row["version_id"] for row in bank.values())},
            moves=[by_ticket[paper.ticket] for paper in made],
            papers=made,
            bodies=await asyncio.to_thread(lambda: [bodies.make(paper) for paper in made]),
            bank=bank,
            count=blueprint.count,
        )
    )


def place(seat: Seat) -> tuple[str, int]:
    """Where somebody sits, as a draw orders people."""
    return paper_inputs.place_of({"room_ordinal": seat.room_ordinal, "room": seat.room, "seat": seat.ordinal})


def _open(sitter: Sitter) -> bool:
    return sitter.attempt is None or sitter.attempt.state == "open"


def _unseen(sitter: Sitter, stored: Mapping[UUID, Row]) -> Row | None:
    """The paper that may go along: of an attempt that goes along itself."""
    if sitter.attempt is None or sitter.stays_closed:
        return None
    return stored.get(sitter.attempt.id)


def _in_force(
    known: Known, target: int, stored: Mapping[UUID, Row], specs: Mapping[int, Any]
) -> tuple[Blueprint, int | None]:
    """The blueprint the session was last drawn by, with its seats in a row; else the one that was set for it."""
    draws = {row["draw_id"] for row in stored.values() if row["session_id"] == target}
    if draws:
        spec = specs[max(draws)]
        return parse(spec["blueprint"]), spec["columns"]
    session = known.sessions[target]
    if session["blueprint"] is None:
        raise Refused("blueprint-missing", session=session["number"])
    # Seats stand in the rows they stood in when the others were drawn.
    columns = specs[max(specs)]["columns"] if specs else None
    return parse(session["blueprint"]), columns


def _had(moves: Sequence[Move], rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    """ticket → the items on every paper of theirs but the one they leave without having seen it."""
    left = {m.sitter.attempt.id for m in moves if m.sitter.attempt is not None and not m.sitter.attempt.seen}
    items: dict[int, set[str]] = {}
    for row in rows:
        if row["attempt_id"] not in left:
            items.setdefault(row["candidate_id"], set()).update(row["numbers"])
    return {m.sitter.ticket: frozenset(items.get(m.sitter.candidate_id, ())) for m in moves}


async def _later(conn: AsyncConnection, known: Known, target: int) -> Any:
    """candidate id → the (number, blueprint) of each session still to be drawn for them."""
    planned = await draw_inputs.planned(conn, known.exam["exam_id"], target)
    ahead = {number: parse(spec) for number, spec in sorted(planned.items())}
    moves = known.plan.moves
    left = {(m.sitter.candidate_id, known.picture.sessions[m.sitter.session_id].number) for m in moves}
    sat: dict[int, set[int]] = {}
    for each in known.picture.sitters:
        sat.setdefault(each.candidate_id, set()).add(known.picture.sessions[each.session_id].number)

    def later(candidate_id: int) -> tuple[tuple[int, Blueprint], ...]:
        mine = sat.get(candidate_id, set())
        return tuple((n, b) for n, b in ahead.items() if n in mine and (candidate_id, n) not in left)

    return later


@dataclass(frozen=True, slots=True)
class Job:
    """The drawing itself; computing only, in a thread. ``fixed`` may sit beside the newcomers, ``exposure`` counts what
    those who keep their papers hold, ``alone``: there is none of them."""

    blueprint: Blueprint
    items: Sequence[Item]
    newcomers: Sequence[Candidate]
    fixed: Sequence[Fixed]
    exposure: Mapping[str, int]
    columns: int | None
    seed: str
    label: str
    alone: bool

    def draw(self) -> list[Paper]:
        papers = self._whole() or draw_among(
            self.blueprint, self.items, self.newcomers, self.fixed, self.exposure, self.seed, label=self.label,
            columns=self.columns,
        )  # fmt: skip
        # Exposure is even over a whole draw only: those who stay hold what they hold.
        faults = [
            fault
            for fault in verify(self.blueprint, self.items, self.newcomers, papers, columns=self.columns)
            if fault.rule != "exposure"
        ]
        if faults:
            told = "; ".join(f"{fault.rule} {fault.ticket} {fault.detail}" for fault in faults[:5])
            raise Refused("draw-faulty", faults=told)
        return papers

    def _whole(self) -> list[Paper]:
        """As a draw of the session: nobody else has a paper in it. Empty when exposure cannot be even."""
        if not self.alone:
            return []
        try:
            return domain.draw(
                self.blueprint, self.items, self.newcomers, self.seed, label=self.label, columns=self.columns
            )
        except Refused as refusal:
            if refusal.code != "draw-uneven":
                raise
            return []

    def record(self) -> dict[str, Any]:
        """``draw.spec``: what these papers can be drawn from again. ``among`` is whom they were drawn among."""
        near = beside(
            {**{each.ticket: each.place for each in self.fixed}, **{c.ticket: c.place for c in self.newcomers}},
            self.columns,
        )
        new = {each.ticket for each in self.newcomers}
        return {
            "blueprint": self.blueprint.spec(),
            "columns": self.columns,
            "places": sorted([*each.place, each.ticket] for each in self.newcomers),
            "draws": [],
            "planned": {},
            "among": {
                "had": {each.ticket: sorted(each.drawn) for each in self.newcomers},
                "later": {each.ticket: [[n, b.spec()] for n, b in each.later] for each in self.newcomers if each.later},
                "beside": [
                    [*each.place, each.ticket, list(each.numbers)]
                    for each in self.fixed
                    if new.intersection(near[each.ticket])
                ],
                "exposure": dict(self.exposure),
                "alone": self.alone,
            },
            "inputs": domain.inputs_digest(self.blueprint, self.items, self.newcomers, self.columns).hex(),
        }
