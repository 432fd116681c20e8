"""The draw: what its papers promise, for halls and banks of any shape, up to the last item."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.blueprint import TITLES, TYPES, Blueprint, Section, Stratum
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, Paper, loose_options, verify
from app.domain.papers import digest, draw, inputs_digest

OPTIONS = {"single": "ABCD", "multiple": "ABCDE", "true_false": "TF", "blank": "", "text": ""}


def items_of(stratum: Stratum, size: int) -> list[Item]:
    kind = stratum.type
    loose = len(OPTIONS[kind]) if kind in ("single", "multiple") else 0
    return [
        Item(f"{kind}-{stratum.topic}-{n:03}", stratum.topic or "", kind, OPTIONS[kind], 1000, loose)
        for n in range(size)
    ]


def hall_of(*rooms: int) -> list[Candidate]:
    return [
        Candidate(f"{room:02}{seat:03}", (f"room {room:02}", seat))
        for room, seats in enumerate(rooms, start=1)
        for seat in range(1, seats + 1)
    ]


@dataclass(frozen=True)
class Day:
    """An exam of several sessions with one blueprint, and who sits which of them."""

    blueprint: Blueprint
    bank: tuple[Item, ...]
    hall: tuple[Candidate, ...]
    sessions: int
    absent: frozenset[tuple[str, int]]
    columns: int | None
    seed: str

    def sits(self, ticket: str, session: int) -> bool:
        return (ticket, session) not in self.absent

    def run(self) -> list[tuple[list[Candidate], list[Paper]]]:
        """Draw the sessions one after the other, as the office does."""
        drawn: dict[str, frozenset[str]] = {person.ticket: frozenset() for person in self.hall}
        result = []
        for session in range(1, self.sessions + 1):
            people = [
                replace(
                    person,
                    drawn=drawn[person.ticket],
                    later=tuple(
                        (number, self.blueprint)
                        for number in range(session + 1, self.sessions + 1)
                        if self.sits(person.ticket, number)
                    ),
                )
                for person in self.hall
                if self.sits(person.ticket, session)
            ]
            made = draw(self.blueprint, self.bank, people, self.seed, label=str(session), columns=self.columns)
            for paper in made:
                drawn[paper.ticket] |= {entry.number for entry in paper.entries}
            result.append((people, made))
        return result


@st.composite
def days(draw_: st.DrawFn, *, slack: Sequence[int] = (0, 1, 2, 5, 20), everyone: bool = True) -> Day:
    sessions = draw_(st.integers(1, 3))
    columns = draw_(st.sampled_from([None, None, 3, 8]))
    sections, bank = [], []
    for kind in draw_(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)):
        strata = [
            Stratum(topic, kind, draw_(st.integers(1, 6)))
            for topic in draw_(st.lists(st.sampled_from(["机电", "施工", "水文"]), min_size=1, max_size=3, unique=True))
        ]
        # Four items are what two neighbours already placed (left, front) can always be kept apart in.
        if sum(stratum.count for stratum in strata) < 4:
            strata[0] = replace(strata[0], count=4)
        sections.append(Section(TITLES[kind], tuple(strata)))
        for stratum in strata:
            bank += items_of(stratum, stratum.count * sessions + draw_(st.sampled_from(slack)))
    hall = hall_of(*draw_(st.lists(st.integers(1, 14), min_size=1, max_size=4)))
    empty = draw_(st.sets(st.sampled_from(hall), max_size=len(hall) - 1)) if draw_(st.booleans()) else set()
    hall = [person for person in hall if person not in empty]
    pairs = [(person.ticket, session) for person in hall for session in range(1, sessions + 1)]
    absent = frozenset() if everyone else frozenset(draw_(st.sets(st.sampled_from(pairs), max_size=len(pairs) // 3)))
    seed = draw_(st.text(max_size=8))
    return Day(Blueprint(tuple(sections)), tuple(bank), tuple(hall), sessions, absent, columns, seed)


# --- the promises, each checked here in its own words and not by the project's own verify


@given(days())
@settings(max_examples=150, deadline=None)
def test_papers_keep_every_promise_over_all_sessions_even_with_no_item_to_spare(day: Day) -> None:
    topics = {item.number: (item.topic, item.type) for item in day.bank}
    had: dict[str, set[str]] = {person.ticket: set() for person in day.hall}
    for people, made in day.run():
        assert sorted(paper.ticket for paper in made) == sorted(person.ticket for person in people)
        exposure = Counter(dict.fromkeys(topics, 0))
        at = {}
        for paper in made:
            numbers = [entry.number for entry in paper.entries]
            # The blueprint is met, section after section.
            start = 0
            for section in day.blueprint.sections:
                part = Counter(topics[number] for number in numbers[start : start + section.count])
                assert part == {(stratum.topic, stratum.type): stratum.count for stratum in section.strata}
                start += section.count
            assert len(numbers) == start
            # No item twice for one candidate, in this session or any other.
            assert len(set(numbers)) == len(numbers)
            assert not had[paper.ticket] & set(numbers)
            had[paper.ticket] |= set(numbers)
            exposure.update(numbers)
            at[paper.ticket] = numbers
        # Exposure is even within each stratum.
        for stratum in day.blueprint.strata:
            seen = [times for number, times in exposure.items() if topics[number] == (stratum.topic, stratum.type)]
            assert max(seen) - min(seen) <= 1
        # Neighbours differ at every position.
        for one, other in combinations(people, 2):
            (room, seat), (other_room, other_seat) = one.place, other.place
            if room == other_room and abs(seat - other_seat) in {1, day.columns or 1}:
                pairs = zip(at[one.ticket], at[other.ticket], strict=True)
                assert all(mine != theirs for mine, theirs in pairs)


@given(days(slack=(2, 5, 20), everyone=False))
@settings(max_examples=75, deadline=None)
def test_candidates_who_sit_different_sessions_are_served_together(day: Day) -> None:
    for people, made in day.run():
        assert verify(day.blueprint, day.bank, people, made, columns=day.columns) == []


@given(days(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_same_seed_gives_the_same_papers_in_whatever_order_the_inputs_come(day: Day, random: object) -> None:
    first = draw(day.blueprint, day.bank, day.hall, day.seed, label="1", columns=day.columns)
    bank, hall = list(day.bank), list(day.hall)
    random.shuffle(bank)  # type: ignore[attr-defined]
    random.shuffle(hall)  # type: ignore[attr-defined]
    again = draw(day.blueprint, bank, hall, day.seed, label="1", columns=day.columns)
    assert again == first
    assert digest(reversed(again)) == digest(first)
    same = inputs_digest(day.blueprint, day.bank, day.hall, day.columns)
    assert inputs_digest(day.blueprint, bank, hall, day.columns) == same


def test_the_papers_of_a_seed_are_these_on_every_machine_and_python() -> None:
    """A digest written down once: a change of algorithm, platform or Python that moves a paper is seen here."""
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 5), Stratum("水文", "single", 3))),))
    bank = [item for stratum in blueprint.strata for item in items_of(stratum, 21)]
    made = draw(blueprint, bank, hall_of(7, 5), "2024-07-20", label="1")
    assert digest(made).hex()[:16] == "90a0ea9ca99a7606"


def test_another_seed_or_session_gives_other_papers() -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 10),)),))
    bank = items_of(blueprint.strata[0], 60)
    one = digest(draw(blueprint, bank, hall_of(20), "a", label="1"))
    assert len({one, digest(draw(blueprint, bank, hall_of(20), "b", label="1"))}) == 2
    assert len({one, digest(draw(blueprint, bank, hall_of(20), "a", label="2"))}) == 2


def test_hash_randomisation_does_not_reach_the_papers() -> None:
    code = (
        "from app.domain.blueprint import *; from app.domain.papers import *; from app.domain.paper_rules import *\n"
        "b = Blueprint((Section('x', (Stratum(None, 'single', 6),)),))\n"
        "i = [Item(f'{n}', f't{n % 3}', 'single', 'ABCD', 1000, 4) for n in range(14)]\n"
        "c = [Candidate(f'{n}', ('r', n), frozenset(map(str, range(n, n + n % 5)))) for n in range(12)]\n"
        "print(digest(draw(b, i, c, 'seed')).hex(), inputs_digest(b, i, c, None).hex())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


# --- options


def test_options_are_shuffled_for_choices_and_never_for_true_false() -> None:
    strata = tuple(Stratum("机电", kind, 5) for kind in TYPES)
    bank = [item for stratum in strata for item in items_of(stratum, 10)]
    made = draw(Blueprint((Section("全部", strata),)), bank, hall_of(40), "s")
    orders: dict[str, Counter[str]] = {kind: Counter() for kind in TYPES}
    for paper in made:
        for entry in paper.entries:
            orders[entry.number.split("-")[0]][entry.order] += 1
    assert set(orders["true_false"]) == {"TF"}
    assert set(orders["blank"]) == set(orders["text"]) == {""}
    # 200 draws of 24 orders: all turn up, none far too often.
    assert len(orders["single"]) == 24
    assert max(orders["single"].values()) < 30
    assert all(sorted(order) == list("ABCDE") for order in orders["multiple"])


def test_options_stay_when_the_blueprint_says_so() -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 5),)),), shuffle_options=False)
    made = draw(blueprint, items_of(blueprint.strata[0], 10), hall_of(10), "s")
    assert {entry.order for paper in made for entry in paper.entries} == {"ABCD"}


@pytest.mark.parametrize(
    ("texts", "loose"),
    [
        (["愈短愈好", "视河宽 B 而定", "没有影响", "愈长愈好"], 4),
        (["上下摆动", "以下", "不变", "以上"], 4),
        (["碱性石料", "中性石料", "酸性石料", "以上均不对"], 3),
        (["以上均不对", "碱性石料", "中性石料", "酸性石料"], 4),
        (["oil", "gas", "coal", "All of the above"], 3),
        (["蒸发", "下渗", "A 和 B 都对", "A、B 都不对"], 0),
        (["CO2 气体", "AC-3", "A", "B"], 4),
    ],
)
def test_options_that_speak_of_other_options_keep_their_place(texts: list[str], loose: int) -> None:
    assert loose_options("single", texts) == loose
    assert loose_options("true_false", texts) == 0


# --- refusals


def test_the_numbers_of_three_sessions_are_named_before_the_first_is_drawn() -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 41), Stratum("水文", "single", 26))),))
    bank = items_of(blueprint.strata[0], 122) + items_of(blueprint.strata[1], 78)
    hall = [replace(person, later=((2, blueprint), (3, blueprint))) for person in hall_of(40, 2)]
    with pytest.raises(Refused) as refusal:
        draw(blueprint, bank, hall, "s")
    assert refusal.value.code == "bank-too-small"
    assert refusal.value.params["shortages"] == [
        {
            "topic": "机电",
            "type": "single",
            "this_session": 41,
            "already_drawn": 0,
            "later_sessions": 82,
            "needed": 123,
            "available": 122,
            "candidates": 42,
        }
    ]
    for language in ("zh", "en"):
        assert "123" in refusal.value.text(language)
        assert "122" in refusal.value.text(language)
    bank += items_of(replace(blueprint.strata[0], topic="机电"), 123)[-1:]
    assert len(draw(blueprint, bank, hall, "s")) == 42


@given(st.integers(1, 9), st.integers(0, 30), st.integers(0, 3), st.integers(0, 20))
@settings(deadline=None)
def test_a_shortage_is_refused_exactly_when_there_is_one(count: int, size: int, later: int, drawn: int) -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", count),)),))
    bank = items_of(blueprint.strata[0], size)
    had = frozenset(item.number for item in bank[:drawn])
    plans = tuple((number + 2, blueprint) for number in range(later))
    hall = [replace(hall_of(1)[0], drawn=had, later=plans)]
    needed = count * (1 + later) + len(had)
    if needed <= size:
        assert len(draw(blueprint, bank, hall, "s")) == 1
        return
    with pytest.raises(Refused) as refusal:
        draw(blueprint, bank, hall, "s")
    (short,) = refusal.value.params["shortages"]
    assert (short["needed"], short["available"], short["already_drawn"]) == (needed, size, len(had))


def test_a_topic_inside_any_topic_is_counted_together() -> None:
    """10 items, 4 of them 机电. This session takes 3 of 机电, a later one 8 of anything: 11 of 10."""
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 3),)),))
    whole = Blueprint((Section("单选题", (Stratum(None, "single", 8),)),))
    bank = items_of(Stratum("机电", "single", 1), 4) + items_of(Stratum("水文", "single", 1), 6)
    hall = [replace(person, later=((2, whole),)) for person in hall_of(3)]
    with pytest.raises(Refused) as refusal:
        draw(blueprint, bank, hall, "s")
    (short,) = refusal.value.params["shortages"]
    assert (short["topic"], short["needed"], short["available"]) == (None, 11, 10)


def test_an_empty_stratum_is_a_shortage() -> None:
    blueprint = Blueprint((Section("判断题", (Stratum("机电", "true_false", 1),)),))
    with pytest.raises(Refused, match="1 needed, 0 in the bank"):
        draw(blueprint, [], hall_of(1), "s")


def test_items_of_different_points_need_points_in_the_blueprint() -> None:
    stratum = Stratum("机电", "single", 2)
    bank = items_of(stratum, 10)
    bank[3] = replace(bank[3], points_milli=2000)
    with pytest.raises(Refused) as refusal:
        draw(Blueprint((Section("单选题", (stratum,)),)), bank, hall_of(3), "s")
    assert refusal.value.code == "uneven-points"
    fixed = Blueprint((Section("单选题", (replace(stratum, points_milli=1500),)),))
    made = draw(fixed, bank, hall_of(3), "s")
    assert {entry.points_milli for paper in made for entry in paper.entries} == {1500}


def test_one_item_for_all_in_a_section_of_its_own_is_refused_not_bent() -> None:
    blueprint = Blueprint((Section("简答题", (Stratum("机电", "text", 1),)),))
    with pytest.raises(Refused) as refusal:
        draw(blueprint, items_of(blueprint.strata[0], 1), hall_of(4), "s")
    assert refusal.value.code == "neighbours-alike"
    assert refusal.value.params["positions"] == "1"
    # Alone in their rooms nobody has a neighbour.
    assert len(draw(blueprint, items_of(blueprint.strata[0], 1), hall_of(1, 1, 1), "s")) == 3


@pytest.mark.parametrize("columns", [None, 8])
def test_one_item_each_from_a_few_keeps_neighbours_apart(columns: int | None) -> None:
    blueprint = Blueprint((Section("简答题", (Stratum("机电", "text", 1),)),))
    day = Day(
        blueprint, tuple(items_of(blueprint.strata[0], 5)), tuple(hall_of(*[40] * 6)), 3, frozenset(), columns, "s"
    )
    for people, made in day.run():
        assert verify(blueprint, day.bank, people, made, columns=columns) == []


def test_an_uneven_history_that_leaves_no_even_sharing_is_refused() -> None:
    """Two candidates, four items, two each: both have had the same two, so both get the other two, 0 against 2."""
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 2),)),))
    bank = items_of(blueprint.strata[0], 4)
    had = frozenset(item.number for item in bank[:2])
    with pytest.raises(Refused) as refusal:
        draw(blueprint, bank, [replace(person, drawn=had) for person in hall_of(2)], "s")
    assert refusal.value.code == "draw-uneven"
    assert refusal.value.params["least"] == 1


def test_nobody_to_draw_for_is_no_paper() -> None:
    blueprint = Blueprint((Section("单选题", (Stratum("机电", "single", 2),)),))
    assert draw(blueprint, items_of(blueprint.strata[0], 4), [], "s") == []


# --- verify sees each broken rule


@pytest.fixture
def drawn() -> tuple[Blueprint, list[Item], list[Candidate], list[Paper]]:
    blueprint = Blueprint(
        (Section("单选题", (Stratum("机电", "single", 5),)), Section("判断题", (Stratum("机电", "true_false", 4),)))
    )
    bank = [item for stratum in blueprint.strata for item in items_of(stratum, 12)]
    hall = hall_of(6)
    return blueprint, bank, hall, draw(blueprint, bank, hall, "s")


def broken(papers: list[Paper], index: int, position: int, **change: object) -> list[Paper]:
    entries = list(papers[index].entries)
    entries[position] = replace(entries[position], **change)  # type: ignore[arg-type]
    return [replace(p, entries=tuple(entries)) if n == index else p for n, p in enumerate(papers)]


def test_verify_names_each_broken_rule(drawn: tuple[Blueprint, list[Item], list[Candidate], list[Paper]]) -> None:
    blueprint, bank, hall, made = drawn

    def rules(papers: list[Paper], people: list[Candidate] = hall) -> set[str]:
        return {fault.rule for fault in verify(blueprint, bank, people, papers)}

    first, second = (entry.number for entry in made[0].entries[:2])
    assert rules(made) == set()
    assert "twice" in rules(broken(made, 0, 0, number=second))
    assert "blueprint" in rules(broken(made, 0, 0, number="true_false-机电-000"))
    assert rules(broken(made, 0, 0, number="nowhere")) >= {"blueprint"}
    assert rules(broken(made, 0, 0, points_milli=999)) == {"points"}
    assert rules(broken(made, 0, 0, order="ABC")) == {"options"}
    assert rules(broken(made, 0, 8, order="FT")) == {"options"}
    assert rules(broken(made, 1, 0, number=first)) >= {"neighbours"}
    assert rules([replace(made[0], entries=made[0].entries[:-1]), *made[1:]]) >= {"blueprint"}
    assert rules(made[1:]) >= {"papers"}
    assert rules([*made, made[0]]) == {"papers"}
    assert rules(made, [replace(hall[0], drawn=frozenset({first})), *hall[1:]]) == {"repeated"}
    everyone_the_same = [replace(paper, entries=made[0].entries) for paper in made]
    assert rules(everyone_the_same) == {"exposure", "neighbours"}


# --- the reference day


def test_a_hall_of_1880_has_neighbours_with_different_questions() -> None:
    """The reference day's numbers: 172 + 139 + 106 items, 100 a paper, 47 rooms of 40."""
    strata = tuple(Stratum(t, "single", n) for t, n in (("机电", 41), ("施工", 33), ("水文", 26)))
    blueprint = Blueprint((Section("单选题", strata),))
    bank = [item for stratum, size in zip(strata, (172, 139, 106), strict=True) for item in items_of(stratum, size)]
    day = Day(blueprint, tuple(bank), tuple(hall_of(*[40] * 47)), 3, frozenset(), 8, "1880")
    for people, made in day.run():
        assert verify(blueprint, bank, people, made, columns=8) == []
        numbers = [{entry.number for entry in paper.entries} for paper in made]
        # Beyond the rule: with a bank this size whoever sits next has hardly one of a hundred questions in common.
        assert sum(len(one & other) for one, other in pairwise(numbers)) / len(numbers) < 1
