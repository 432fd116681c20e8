"""The draw on the real bank and rosters that may stand beside the checkout: 417 items, 1,880 people, 100 a paper."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from app.domain.blueprint import Blueprint, Section, Stratum, proportional
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, loose_options, verify
from app.domain.papers import draw
from app.importers.bank import read_bank
from app.importers.model import Roster
from app.importers.roster import read_roster


@pytest.fixture(scope="module")
def bank(shared_data: Path) -> list[Item]:
    read, report, _ = read_bank(shared_data / "bank.xlsx")
    assert read is not None, report.faults
    return [
        Item(
            item.number,
            item.topic,
            item.type,
            "".join(option.id for option in item.options),
            item.points_milli,
            loose_options(item.type, [option.text for option in item.options]),
        )
        for item in read.items
    ]


def people_of(roster: Roster, blueprint: Blueprint) -> dict[int, list[Candidate]]:
    """session → who sits it, with what they have still to sit; seats by their labels."""
    order = {room.name: f"{number:03}" for number, room in enumerate(roster.rooms)}
    people: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in roster.candidates:
        for placement in candidate.placements:
            later = sorted(other.session for other in candidate.placements if other.session > placement.session)
            seat = int(placement.seat) if placement.seat.isdecimal() else 1000 + int(placement.seat.removeprefix("备"))
            people[placement.session].append(
                Candidate(
                    candidate.ticket,
                    (order[placement.room], seat),
                    later=tuple((number, blueprint) for number in later),
                )
            )
    return people


def roster_of(path: Path) -> Roster:
    read, report, _ = read_roster(path)
    assert read is not None, report.faults
    return read


@pytest.mark.parametrize(("file", "sessions"), [("roster.xlsx", 3), ("roster-rounds.xlsx", 1)])
def test_the_real_day_is_drawn_from_the_real_bank(
    bank: list[Item], shared_data: Path, file: str, sessions: int
) -> None:
    blueprint = proportional(((item.topic, item.type) for item in bank), 100, sessions=sessions)
    people = people_of(roster_of(shared_data / file), blueprint)
    assert len(people) == 3
    had: dict[str, frozenset[str]] = defaultdict(frozenset)
    for number, sitting in sorted(people.items()):
        now = [Candidate(each.ticket, each.place, had[each.ticket], each.later) for each in sitting]
        papers = draw(blueprint, bank, now, "2024-07-20", label=str(number), columns=8)
        assert len(papers) == len(sitting)
        assert verify(blueprint, bank, now, papers, columns=8) == []
        for paper in papers:
            had[paper.ticket] |= {entry.number for entry in paper.entries}
    assert Counter(map(len, had.values())) == {100 * sessions: 1880}


def test_what_the_real_bank_cannot_fill_is_refused_with_its_numbers(bank: list[Item], shared_data: Path) -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 58),)),))
    people = people_of(roster_of(shared_data / "roster.xlsx"), blueprint)
    with pytest.raises(Refused) as refusal:
        draw(blueprint, bank, people[1], "s", label="1")
    (short,) = refusal.value.params["shortages"]
    assert (short["needed"], short["available"], short["candidates"]) == (174, 172, 1880)
