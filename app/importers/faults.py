"""A fault of an imported file: where, what, and how to mend it; and the report that holds them all.

A file is read to its end whatever is wrong with it, so that an office mends it once and not fault by fault. A *note*
is the same shape for what was put right on the way or deserves a look; it never stops an import.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from openpyxl.utils import get_column_letter

from app.domain.identity import mask_id
from app.importers.messages import FILES, MESSAGES, NOTES, Words


class Unreadable(Exception):  # noqa: N818 -- it names the state of the file
    """The file as a whole cannot be read; ``code`` is a key of ``messages.FILES``."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    @property
    def sentence(self) -> Words:
        """One sentence: what it is and how to mend it."""
        message = FILES[self.code]
        what, mend = message.what.filled(**self.params), message.mend.filled(**self.params)
        return Words(f"{what.zh}：{mend.zh}。", f"{what.en}: {mend.en}.")

    def text(self, language: str) -> str:
        """The sentence in ``zh`` or ``en``."""
        return self.sentence.zh if language.startswith("zh") else self.sentence.en

    def __str__(self) -> str:
        return self.sentence.en


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A cell, a row (column 0) or a sheet (row 0). ``sheet_n`` counts the file's sheets from 0."""

    sheet_n: int = 0
    row: int = 0
    column_n: int = 0
    sheet: str = ""
    column: str = ""

    @property
    def cell(self) -> str:
        """'E26', '26' for a whole row, '' for a whole sheet."""
        letters = get_column_letter(self.column_n) if self.column_n else ""
        return f"{letters}{self.row or ''}" if self.row or letters else ""

    @property
    def reference(self) -> str:
        """'考场编排!E26'."""
        return f"{self.sheet}!{self.cell}" if self.cell else self.sheet


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault or note. ``value`` is the cell as it stands, ``after`` what a note's value became.

    ``is_id`` marks the number of a person's document: the report of faults shows it, because its reader has to find
    it on paper; everything else (notes, logs, ``repr``) shows the mask.
    """

    code: str
    place: Place
    value: str = ""
    after: str = ""
    params: dict[str, object] = field(default_factory=dict)
    is_id: bool = False

    @property
    def is_note(self) -> bool:
        return self.code in NOTES

    @property
    def what(self) -> Words:
        return MESSAGES[self.code].what.filled(**self.params)

    @property
    def mend(self) -> Words:
        return MESSAGES[self.code].mend.filled(**self.params)

    @property
    def shown(self) -> str:
        """The value as the report shows it."""
        return mask_id(self.value) if self.is_id and self.is_note else self.value

    @property
    def shown_after(self) -> str:
        return mask_id(self.after) if self.is_id else self.after

    def __repr__(self) -> str:
        value = mask_id(self.value) if self.is_id else self.value
        return f"<{self.code} {self.place.reference} {value!r}>"

    def as_json(self) -> dict[str, Any]:
        what, mend = self.what, self.mend
        found: dict[str, Any] = {
            "code": self.code,
            "sheet": self.place.sheet,
            "row": self.place.row or None,
            "column": self.place.column or None,
            "cell": self.place.cell or None,
            "value": self.shown,
            "what": {"zh": what.zh, "en": what.en},
        }
        if self.is_note:
            return {**found, "after": self.shown_after}
        return {**found, "mend": {"zh": mend.zh, "en": mend.en}}


class Report:
    """Every fault and note of one file, in the order of the file."""

    def __init__(self, file: str, kind: str) -> None:
        self.file = file
        self.kind = kind
        self.counts: dict[str, int] = {}
        self._faults: list[Fault] = []
        self._notes: list[Fault] = []

    def add(self, fault: Fault) -> None:
        (self._notes if fault.is_note else self._faults).append(fault)

    @property
    def ok(self) -> bool:
        return not self._faults

    @property
    def fault_count(self) -> int:
        return len(self._faults)

    @property
    def faults(self) -> list[Fault]:
        return sorted(self._faults, key=lambda fault: fault.place)

    @property
    def notes(self) -> list[Fault]:
        return sorted(self._notes, key=lambda fault: fault.place)

    def notes_by_code(self) -> dict[str, list[Fault]]:
        grouped: dict[str, list[Fault]] = {}
        for note in self.notes:
            grouped.setdefault(note.code, []).append(note)
        return grouped

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "kind": self.kind,
            "ok": self.ok,
            "counts": self.counts,
            "fault_codes": dict(Counter(fault.code for fault in self.faults)),
            "note_codes": dict(Counter(note.code for note in self.notes)),
            "faults": [fault.as_json() for fault in self.faults],
            "notes": [note.as_json() for note in self.notes],
        }
