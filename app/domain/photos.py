"""Whom a photo's file name means, and what can be wrong with the file, in words.

A file is named by the ticket or by the number of the document, whole or with a name beside it (``12001_王芳.jpg``,
``王芳-990001….jpg``); a name alone means nobody, because people share names. The file's name is used for looking up and
then dropped: a full ID number is written into no record, report or log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.domain.identity import fold_id, mask_id, ticket_key

Fault = Literal["type", "damaged", "large", "pixels", "small", "double", "several"]

# What the office reads beside a file that cannot be used.
FAULTS: Mapping[Fault, tuple[str, str]] = {
    "type": ("不是 JPEG、PNG 或 WebP 图片", "not a JPEG, PNG or WebP picture"),
    "damaged": ("图片已损坏，无法打开", "damaged: it cannot be opened"),
    "large": ("文件过大", "the file is too large"),
    "pixels": ("图片尺寸过大", "too many pixels"),
    "small": ("图片尺寸过小，看不清人", "too small to tell anybody by"),
    "double": ("同一人有两张不同的照片", "a second, different picture of the same person"),
    "several": ("文件名对应不止一人", "its name fits more than one person"),
}

_APART = re.compile(r"[\s_,，、;；+()（）【】\[\]—]+")
# What systems leave in folders: never meant as a photo, and nobody wants to read about it.
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})
# A resident ID, a passport, a permit. Tickets stay readable: who is missing is looked for by them.
_LIKE_AN_ID = re.compile(r"(?<![A-Za-z0-9])(\d{17}[\dXx×]|[A-Za-z]{1,2}\d{7,9})(?![A-Za-z0-9])")
# A number within a name that is shorter says nothing: IMG-1 is nobody's ticket 1.
_SHORTEST_PART = 4
LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate of the exam as a photo finds them. ``sha256``: of the photo there is already."""

    id: int
    ticket: str
    name: str
    id_number: str
    sha256: str | None

    def __repr__(self) -> str:
        return f"<person {self.ticket}>"


class People:
    """Everybody of an exam, to be found by ticket or document number."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.all = list(people)
        self._by: dict[str, set[int]] = {}
        self._person = {one.id: one for one in self.all}
        for one in self.all:
            self._by.setdefault(ticket_key(one.ticket), set()).add(one.id)
            self._by.setdefault(fold_id(one.id_number), set()).add(one.id)

    def named(self, name: str) -> list[Person]:
        """Whom a file of this name means: nobody, one, or several when it cannot be told which."""
        stem = name.rpartition("/")[2].rpartition(".")[0]
        whole = self._look_up(stem)
        if whole:
            return whole
        found = [one for piece in _APART.split(stem) for one in self._in(piece)]
        return self._sorted({one.id for one in found})

    def _in(self, piece: str) -> list[Person]:
        """A hyphen may be part of a ticket."""
        if len(piece) < _SHORTEST_PART:
            return []
        return self._look_up(piece) or [
            one for part in piece.split("-") if len(part) >= _SHORTEST_PART for one in self._look_up(part)
        ]

    def _look_up(self, part: str) -> list[Person]:
        return self._sorted(self._by.get(ticket_key(part), set()) | self._by.get(fold_id(part), set()))

    def _sorted(self, ids: set[int]) -> list[Person]:
        return [self._person[one] for one in sorted(ids)]


def is_litter(path: str) -> bool:
    """Whether a system has left it there: Thumbs.db, .DS_Store, ._photo.jpg, __MACOSX/…"""
    parts = (part for part in path.split("/") if part not in ("", ".", ".."))
    return any(part.startswith(".") or part.lower() in _LITTER for part in parts)


def shown(path: str) -> str:
    """The path for a report: short, printable, and without the middle of what looks like a document's number."""
    clean = "".join(one if one.isprintable() else "�" for one in path.replace("\\", "/"))
    masked = _LIKE_AN_ID.sub(lambda found: mask_id(found[0]), clean)
    return masked if len(masked) <= LONGEST_SHOWN else f"…{masked[1 - LONGEST_SHOWN :]}"


@dataclass(frozen=True, slots=True)
class Faulty:
    """A file that cannot be used. ``ticket``: whose photo it would be, when that is sure."""

    file: str
    fault: Fault
    ticket: str | None = None

    def as_json(self) -> dict[str, str | None]:
        zh, en = FAULTS[self.fault]
        return {"file": self.file, "fault": self.fault, "zh": zh, "en": en, "ticket": self.ticket}


@dataclass(slots=True)
class Report:
    """What an import of photos did or would do.

    ``state``: ``faulty`` (nothing was brought in), ``would-import``, ``imported``, ``unchanged``. ``files``: pictures
    and whatever else lay there, without what systems leave behind. ``matched`` = ``added`` + ``replaced`` + ``same``.
    ``missing``: who of the exam's ``people`` has no photo afterwards.
    """

    exam: str
    source: str
    state: Literal["faulty", "would-import", "imported", "unchanged"] = "unchanged"
    files: int = 0
    people: int = 0
    added: int = 0
    same: int = 0
    replaced: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    faults: list[Faulty] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def matched(self) -> int:
        return self.added + self.same + len(self.replaced)

    def as_json(self) -> dict[str, object]:
        return {
            "exam": self.exam, "source": self.source, "state": self.state, "files": self.files,
            "people": self.people,
            "matched": self.matched, "added": self.added, "same": self.same, "replaced": self.replaced,
            "unmatched": self.unmatched, "faults": [one.as_json() for one in self.faults],
            "missing": [{"ticket": ticket, "name": name} for ticket, name in self.missing],
        }  # fmt: skip
