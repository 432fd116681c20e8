"""Simulated candidates behave like people: everything gets answered, at a human pace, and a stop costs nothing."""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from app.demo.behaviour import QUICK_PACE, Question, Step, pace, questions, steps
from app.demo.people import hall
from app.demo.simulate import FIRST_ROOM, chosen, most

PAPER = [
    *(Question(100 + n, "single", ("A", "B", "C", "D")) for n in range(30)),
    *(Question(200 + n, "multiple", ("A", "B", "C", "D", "E")) for n in range(12)),
    *(Question(300 + n, "true_false", ("T", "F")) for n in range(10)),
    *(Question(400 + n, "blank", blanks=1 + n % 2) for n in range(6)),
    *(Question(500 + n, "text") for n in range(2)),
]


def sat(seed: str, **kwargs: object) -> list[Step]:
    return list(steps(Random(seed), PAPER, 1.0, **kwargs))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_everything_is_answered_with_values_of_the_right_shape(seed: str) -> None:
    last: dict[int, object] = {step.position: step.value for step in sat(seed) if step.answers}
    assert sorted(last) == list(range(1, len(PAPER) + 1))
    for position, value in last.items():
        question = PAPER[position - 1]
        if question.type in ("single", "true_false"):
            assert value in question.options
        elif question.type == "multiple":
            assert isinstance(value, list)
            assert 2 <= len(value) == len(set(value)) < len(question.options)
        elif question.type == "blank":
            assert isinstance(value, list)
            assert len(value) == question.blanks
        else:
            assert isinstance(value, str)
            assert len(value) > 20


def test_a_median_person_needs_most_of_the_session() -> None:
    totals = [sum(step.think_s for step in sat(str(seed))) / 60 for seed in range(40)]
    assert 40 < median(totals) < 85


def test_some_people_are_quick() -> None:
    paces = [pace(Random(seed)) for seed in range(200)]
    assert 20 <= sum(one == QUICK_PACE for one in paces) <= 60


def test_marks_are_cleared_in_the_end_and_some_answers_revised() -> None:
    walks = [sat(str(seed)) for seed in range(10)]
    assert any(step.marked for walk in walks for step in walk)
    for walk in walks:
        marked: set[int] = set()
        for step in walk:
            if step.marked is not None:
                (marked.add if step.marked else marked.discard)(step.position)
        assert not marked
    answered = [
        step.position for walk in walks for step in walk if step.answers and PAPER[step.position - 1].type != "text"
    ]
    assert len(answered) > sum(question.type != "text" for question in PAPER) * len(walks)


def test_going_on_leaves_alone_what_is_answered() -> None:
    done = {question.item for question in PAPER[:50]}
    walk = sat("a", answered=done)
    assert {step.position for step in walk} <= set(range(51, len(PAPER) + 1))


def test_a_paper_of_the_api_is_read() -> None:
    paper = {
        "sections": [
            {"title": "单选题", "items": [{"item": 7, "type": "single", "options": [{"id": "B"}, {"id": "A"}]}]},
            {"title": "填空题", "items": [{"item": 9, "type": "blank", "blanks": 2}]},
        ]
    }
    assert questions(paper) == [Question(7, "single", ("B", "A")), Question(9, "blank", (), 2)]


def test_listed_candidates_are_never_simulated_and_choices_only_grow() -> None:
    whole = hall()
    listed = {person.ticket for person in whole.listed()}
    everybody = chosen(whole, most(whole))
    assert len(everybody) == len({person.ticket for person in everybody}) == len(whole.people) - len(listed)
    assert not listed & {person.ticket for person in everybody}
    for count in (1, 5, 60, 300):
        assert chosen(whole, count) == everybody[:count]


def test_the_listed_room_fills_first_and_both_sessions_are_there() -> None:
    whole = hall()
    three_hundred = chosen(whole, 300)
    assert sum(person.room == whole.rooms[0].name for person in three_hundred) == FIRST_ROOM
    assert 10 <= sum(person.session == 2 for person in three_hundred) <= 60
    assert len({person.room for person in three_hundred}) > 20
