"""The blueprint of a session's papers (组卷方案): which strata of the bank a paper holds, and how many items of each.

A *stratum* is topic × type; topic ``None`` means every topic of that type. The strata of one blueprint never overlap:
an item then belongs to one stratum at most, and "exposure is even within a stratum" says one clear thing.

The stored form::

    {"sections": [{"title": "单选题",
                   "strata": [{"topic": "机电" | null, "type": "single", "count": 41, "points_milli": 1000 | null}]}],
     "shuffle_options": true}

``points_milli`` null leaves an item the points it has in the bank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Refused

# In the order in which sections follow each other on a paper made by ``proportional``.
TYPES = ("single", "multiple", "true_false", "blank", "text")
TITLES = {"single": "单选题", "multiple": "多选题", "true_false": "判断题", "blank": "填空题", "text": "简答题"}

# Far above any real paper; keeps a slip of the keyboard (4100 for 41) from becoming an hour of work.
MOST_ITEMS = 1000
MOST_POINTS_MILLI = 1_000_000


@dataclass(frozen=True, slots=True)
class Stratum:
    topic: str | None
    type: str
    count: int
    points_milli: int | None = None

    def holds(self, topic: str, type_: str) -> bool:
        """Whether an item of this topic and type belongs here."""
        return self.type == type_ and (self.topic is None or self.topic == topic)

    def overlaps(self, other: Stratum) -> bool:
        return self.type == other.type and (self.topic == other.topic or None in (self.topic, other.topic))

    def within(self, other: Stratum) -> bool:
        """Whether every item that fits here fits there too."""
        return self.type == other.type and (other.topic is None or self.topic == other.topic)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    strata: tuple[Stratum, ...]

    @property
    def count(self) -> int:
        return sum(stratum.count for stratum in self.strata)


@dataclass(frozen=True, slots=True)
class Blueprint:
    sections: tuple[Section, ...]
    shuffle_options: bool = True

    @property
    def strata(self) -> tuple[Stratum, ...]:
        return tuple(stratum for section in self.sections for stratum in section.strata)

    @property
    def count(self) -> int:
        """How many items one paper holds."""
        return sum(section.count for section in self.sections)

    def stratum_of(self, topic: str, type_: str) -> int | None:
        """The index in ``strata`` of the only stratum that takes this topic and type."""
        for index, stratum in enumerate(self.strata):
            if stratum.holds(topic, type_):
                return index
        return None

    def spec(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "sections": [
                {
                    "title": section.title,
                    "strata": [
                        {
                            "topic": stratum.topic,
                            "type": stratum.type,
                            "count": stratum.count,
                            "points_milli": stratum.points_milli,
                        }
                        for stratum in section.strata
                    ],
                }
                for section in self.sections
            ],
            "shuffle_options": self.shuffle_options,
        }


def _object(value: object, where: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("blueprint-malformed", where=where)
    unknown = sorted(str(key) for key in value.keys() - known)
    if unknown:
        # A misspelt key would otherwise be a rule that silently does not hold.
        raise Refused("blueprint-malformed", where=f"{where}.{unknown[0]}")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refused("blueprint-malformed", where=where)
    return value


def _whole(value: object, least: int, most: int) -> bool:
    # bool is an int in Python, and "count": true is a mistake.
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _stratum(value: object, where: str) -> Stratum:
    fields = _object(value, where, {"topic", "type", "count", "points_milli"})
    topic, type_, count = fields.get("topic"), fields.get("type"), fields.get("count")
    points = fields.get("points_milli")
    if topic is not None and not (isinstance(topic, str) and topic.strip()):
        raise Refused("blueprint-malformed", where=f"{where}.topic")
    if type_ not in TYPES:
        raise Refused("blueprint-unknown-type", where=f"{where}.type", value=type_, types=", ".join(TYPES))
    if not _whole(count, 1, MOST_ITEMS):
        raise Refused("blueprint-bad-count", where=f"{where}.count", value=count, most=MOST_ITEMS)
    if points is not None and not _whole(points, 1, MOST_POINTS_MILLI):
        raise Refused("blueprint-bad-points", where=f"{where}.points_milli", value=points, most=MOST_POINTS_MILLI)
    return Stratum(topic, str(type_), int(count or 0), points)


def parse(spec: object) -> Blueprint:
    """The blueprint written as ``spec`` (the stored form, from a file or the database).

    Refused with ``blueprint-malformed``, ``-unknown-type``, ``-bad-count``, ``-bad-points``, ``-too-long`` or
    ``-overlap``; ``where`` names the place as a path like ``sections[0].strata[1].count``.
    """
    fields = _object(spec, "blueprint", {"sections", "shuffle_options"})
    shuffle = fields.get("shuffle_options", True)
    if not isinstance(shuffle, bool):
        raise Refused("blueprint-malformed", where="shuffle_options")
    sections: list[Section] = []
    seen: list[Stratum] = []
    for s, raw in enumerate(_list(fields.get("sections"), "sections")):
        where = f"sections[{s}]"
        section = _object(raw, where, {"title", "strata"})
        title = section.get("title")
        if not (isinstance(title, str) and title.strip()):
            raise Refused("blueprint-malformed", where=f"{where}.title")
        strata: list[Stratum] = []
        for t, inner in enumerate(_list(section.get("strata"), f"{where}.strata")):
            stratum = _stratum(inner, f"{where}.strata[{t}]")
            if any(stratum.overlaps(other) for other in seen):
                raise Refused(
                    "blueprint-overlap", where=f"{where}.strata[{t}]", topic=stratum.topic or "*", type=stratum.type
                )
            seen.append(stratum)
            strata.append(stratum)
        sections.append(Section(title, tuple(strata)))
    blueprint = Blueprint(tuple(sections), shuffle)
    if blueprint.count > MOST_ITEMS:
        raise Refused("blueprint-too-long", count=blueprint.count, most=MOST_ITEMS)
    return blueprint


def proportional(bank: Iterable[tuple[str, str]], count: int, *, sessions: int = 1) -> Blueprint:
    """A blueprint of ``count`` items in the bank's own proportions: one section per type, one stratum per topic.

    ``bank`` holds the (topic, type) of every item; ``sessions`` is how many sessions one candidate sits, so no stratum
    asks for more than its share of the bank. Shares are rounded by largest remainder; ties go to the larger stratum,
    then by name. Refused with ``bank-too-small`` when ``count × sessions`` items are not there.
    """
    sizes = Counter(bank)
    total = sum(sizes.values())
    room = {stratum: size // sessions for stratum, size in sizes.items()}
    if not 1 <= count <= MOST_ITEMS:
        raise Refused("blueprint-bad-count", where="items", value=count, most=MOST_ITEMS)
    if count > sum(room.values()):
        lines = f"{count} × {sessions} > {total}"
        raise Refused("bank-too-small", lines_zh=lines, lines_en=lines, shortages=[])
    # Step 1: whole shares. Step 2: what is left goes where the share was cut most, and where there is room.
    taken = {stratum: min(size * count // total, room[stratum]) for stratum, size in sizes.items()}
    while (left := count - sum(taken.values())) > 0:
        open_ = [stratum for stratum in sizes if taken[stratum] < room[stratum]]
        open_.sort(key=lambda s: (taken[s] * total - sizes[s] * count, -sizes[s], s))
        for stratum in open_[:left]:
            taken[stratum] += 1
    sections = []
    for type_ in TYPES:
        strata = tuple(
            Stratum(topic, type_, number)
            for (topic, kind), number in sorted(taken.items())
            if kind == type_ and number > 0
        )
        if strata:
            sections.append(Section(TITLES[type_], strata))
    return Blueprint(tuple(sections))
