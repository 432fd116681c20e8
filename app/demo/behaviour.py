"""How a simulated candidate works through a paper: what is answered, after how much thought, what is marked or revised.

Pure: the same seed and paper give the same steps, so that a simulation that was stopped goes on as the same person.
Think times are lognormal around 45 s a single-choice item and differ from person to person; every fifth person is
quick, so that a page is alive a moment after the demo has started.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from random import Random

Value = str | list[str] | None

MEDIAN_THINK_S = 45.0
SPREAD = 0.6
QUICK_SHARE = 0.2
QUICK_PACE = 0.25

# How much longer than a single-choice item one of this type takes.
EFFORT = {"single": 1.0, "multiple": 1.3, "true_false": 0.5, "blank": 1.2, "text": 3.0}

_SKIP, _MARK, _REVISE, _REVISIT = 0.05, 0.08, 0.07, 0.6
_TYPING_S = (2.0, 6.0)

_SENTENCES = (
    "先查明原因，核对设计资料和现场观测记录。",
    "应立即上报，并安排专人值守观察。",
    "按反滤导渗的原则处理，防止细颗粒被带走。",
    "复核水位、流量和渗透压力的变化。",
    "采取工程措施与管理措施相结合的办法。",
    "处理以后继续监测，做好记录，汛后彻底加固。",
    "计算时应注意资料的可靠性和代表性。",
    "降低水头差，延长渗径，减小渗透坡降。",
)
_FORMS = ("50", "0.8", "1500", "重复", "泄水", "毛管", "14", "75", "2000", "截渗", "3")


@dataclass(frozen=True, slots=True)
class Question:
    """What a candidate sees of an item."""

    item: int
    type: str
    options: tuple[str, ...] = ()
    blanks: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """After ``think_s`` seconds: go to ``position`` (from 1), answer the item there, and mark or unmark it.

    ``answers`` false: the item is only looked at. ``marked`` None leaves the mark as it is.
    """

    think_s: float
    position: int
    value: Value = None
    answers: bool = True
    marked: bool | None = None


def questions(paper: dict[str, object]) -> list[Question]:
    """The items of a paper as the API gives it, in their order."""
    found: list[Question] = []
    for section in paper["sections"]:  # type: ignore[attr-defined]
        for entry in section["items"]:
            options = tuple(option["id"] for option in entry.get("options") or ())
            found.append(Question(entry["item"], entry["type"], options, entry.get("blanks") or 1))
    return found


def pace(random: Random) -> float:
    """This person's factor on every think time."""
    return QUICK_PACE if random.random() < QUICK_SHARE else random.lognormvariate(0.0, 0.3)


def steps(
    random: Random,
    paper: Sequence[Question],
    own_pace: float,
    *,
    answered: Collection[int] = (),
    marked: Collection[int] = (),
) -> Iterator[Step]:
    """The rest of the exam for somebody who has answered ``answered`` (item ids) and marked ``marked``.

    In order with a few items skipped; back to the skipped ones; a last look at what is marked.
    """
    flagged = [position for position, question in enumerate(paper, 1) if question.item in marked]
    open_ = [position for position, question in enumerate(paper, 1) if question.item not in answered]
    skipped: list[int] = []
    done: list[int] = []
    for position in open_:
        if random.random() < _SKIP:
            skipped.append(position)
            yield Step(_think(random, own_pace, paper[position - 1]) / 2, position, answers=False)
            continue
        mark = True if random.random() < _MARK else None
        if mark:
            flagged.append(position)
        yield from _answer(random, own_pace, paper, position, mark)
        done.append(position)
        if random.random() < _REVISE:
            yield from _answer(random, own_pace / 2, paper, random.choice(done))
    for position in skipped:
        yield from _answer(random, own_pace, paper, position)
    for position in flagged:
        if random.random() < _REVISIT:
            yield from _answer(random, own_pace / 2, paper, position, mark=False)
        else:
            yield Step(_think(random, own_pace / 4, paper[position - 1]), position, answers=False, marked=False)


def _answer(
    random: Random, own_pace: float, paper: Sequence[Question], position: int, mark: bool | None = None
) -> Iterator[Step]:
    question = paper[position - 1]
    think = _think(random, own_pace, question)
    if question.type != "text":
        yield Step(think, position, _value(random, question), marked=mark)
        return
    # A text grows while it is typed, as the browser's debounced saves show it.
    written = ""
    for sentence in random.sample(_SENTENCES, random.randint(3, 6)):
        written += sentence
        yield Step(think, position, written, marked=mark)
        think, mark = random.uniform(*_TYPING_S), None


def _think(random: Random, own_pace: float, question: Question) -> float:
    median = MEDIAN_THINK_S * own_pace * EFFORT.get(question.type, 1.0)
    return min(random.lognormvariate(math.log(median), SPREAD), 10 * median)


def _value(random: Random, question: Question) -> Value:
    if question.type == "multiple":
        chosen = random.sample(question.options, random.randint(2, max(2, len(question.options) - 1)))
        return sorted(chosen)
    if question.type == "blank":
        return [random.choice(_FORMS) for _ in range(question.blanks)]
    return random.choice(question.options)
