"""Papers for people who join a session that was drawn: the rules of a draw, and nobody else's paper changes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.blueprint import Blueprint, Section, Stratum
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, Paper, verify
from app.domain.papers import draw
from app.domain.round_papers import Fixed, alike, arrange, beside, draw_among

BLUEPRINT = Blueprint(
    (
        Section("单选题", (Stratum("机电", "single", 4), Stratum("水文", "single", 3))),
        Section("判断题", (Stratum(None, "true_false", 3),)),
    )
)


def bank(size: int = 12) -> list[Item]:
    kinds = [("机电", "single", "ABCD", 4), ("水文", "single", "ABCD", 4), ("水文", "true_false", "TF", 0)]
    return [
        Item(f"{topic}{type_}{n}", topic, type_, options, 1000, loose)
        for topic, type_, options, loose in kinds
        for n in range(size)
    ]


def numbers(paper: Paper) -> tuple[str, ...]:
    return tuple(entry.number for entry in paper.entries)


@given(st.data())
def test_newcomers_keep_every_rule_beside_those_who_stay(data: st.DataObject) -> None:
    items = bank()
    seats = data.draw(st.lists(st.integers(1, 24), unique=True, min_size=2, max_size=16))
    cut = data.draw(st.integers(1, len(seats) - 1))
    columns = data.draw(st.sampled_from([None, 4]))
    stay = [Candidate(f"S{seat}", ("1", seat)) for seat in seats[:cut]]
    seed = data.draw(st.text(max_size=3))
    theirs = draw(BLUEPRINT, items, stay, seed, columns=columns)
    fixed = [
        Fixed(c.ticket, c.place, numbers(p)) for c, p in zip(sorted(stay, key=lambda c: c.place), theirs, strict=True)
    ]
    pick = st.sampled_from([item.number for item in items if item.number.endswith(("1", "3", "5"))])
    come = [
        Candidate(f"N{seat}", ("1", seat), frozenset(data.draw(st.lists(pick, max_size=4)))) for seat in seats[cut:]
    ]
    exposure = Counter(number for each in fixed for number in each.numbers)

    made = draw_among(BLUEPRINT, items, come, fixed, exposure, seed, columns=columns)

    assert made == draw_among(BLUEPRINT, items, come[::-1], fixed, exposure, seed, columns=columns)
    faults = verify(BLUEPRINT, items, [*stay, *come], [*theirs, *made], columns=columns)
    assert [fault for fault in faults if fault.rule != "exposure"] == []


def test_the_least_used_items_are_taken_first() -> None:
    items = bank()
    used = Counter({item.number: 5 for item in items if not item.number.endswith(("0", "2", "4", "6"))})
    (paper,) = draw_among(BLUEPRINT, items, [Candidate("N", ("1", 1))], [], used, "s")
    assert all(number.endswith(("0", "2", "4", "6")) for number in numbers(paper))


def test_a_bank_without_enough_unseen_items_is_said_in_numbers() -> None:
    items = bank(5)
    had = frozenset(f"机电single{n}" for n in range(2))
    with pytest.raises(Refused) as refused:
        draw_among(BLUEPRINT, items, [Candidate("N", ("1", 1), had)], [], {}, "s")
    (short,) = refused.value.params["shortages"]
    assert (short["this_session"], short["already_drawn"], short["needed"], short["available"]) == (4, 2, 6, 5)


def test_neighbours_who_must_have_the_same_at_the_same_place_are_refused() -> None:
    blueprint = Blueprint((Section("判断题", (Stratum(None, "true_false", 1),)),))
    items = [Item("1", "水文", "true_false", "TF", 1000, 0)]
    with pytest.raises(Refused) as refused:
        draw_among(blueprint, items, [Candidate("N", ("1", 1))], [Fixed("S", ("1", 2), ("1",))], {"1": 1}, "s")
    assert refused.value.code == "neighbours-alike"


@given(st.data())
def test_an_order_is_found_wherever_there_is_one(data: st.DataObject) -> None:
    items = data.draw(st.permutations(range(4)))
    neighbours = data.draw(st.lists(st.permutations(range(4)), max_size=2))
    found = arrange(items, 0, neighbours)
    # Four items and at most two barred places each: a matching exists (Hall).
    assert isinstance(found, list)
    assert sorted(found) == [0, 1, 2, 3]
    assert not any(alike([str(n) for n in found], [str(n) for n in other]) for other in neighbours)


def test_who_sits_beside_whom() -> None:
    places = {"A": ("1", 1), "B": ("1", 2), "C": ("1", 5), "D": ("2", 1)}
    assert beside(places, None) == {"A": ["B"], "B": ["A"], "C": [], "D": []}
    assert beside(places, 4)["A"] == ["B", "C"]
