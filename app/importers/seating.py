"""The columns of a roster that say where and when somebody sits: room, seat, sessions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from app.domain.identity import fold
from app.importers import normalise
from app.importers.model import Placement, RoomPlan, SessionPlan, spare_label
from app.importers.plan import session_number
from app.importers.records import Record

_REGULAR = re.compile(r"(-?\d{1,6})(?:号|座|机|机位|号机|号座|号机位)?")
_SPARE = re.compile(r"备用?(?:机位|机|座)?第?(\d{1,4})号?(?:机位|机|座)?")
_SEPARATORS = re.compile(r"[,，、;；/和\s+&]+")
_RANGE = re.compile(r"第?(\d{1,3})[-—–~～至到]第?(\d{1,3})场?")
_ALL = ("全部", "全部场次", "所有场次", "ALL")

Rooms = Mapping[str, RoomPlan | None]
Sessions = Mapping[int, SessionPlan | None]


class Seating:
    """Reads places against the rooms and sessions of the same file.

    ``rooms`` or ``sessions`` is None when the file lacks the sheet: that is one fault, not one per row.
    """

    def __init__(self, rooms: Rooms | None, sessions: Sessions | None) -> None:
        self.rooms = rooms
        self.sessions = sessions
        self._rooms = {fold(name): name for name in rooms or ()}
        self._names = {fold(plan.name): number for number, plan in (sessions or {}).items() if plan is not None}

    def read(self, record: Record) -> tuple[Placement, ...] | None:
        """One placement per session on the row; None if anything about them is missing or wrong."""
        room = self._room(record)
        seat = self._seat(record, room)
        sessions = self._session_numbers(record)
        if room is None or seat is None or sessions is None:
            return None
        return tuple(Placement(number, room, seat) for number in sessions)

    def _room(self, record: Record) -> str | None:
        text = record.text("room", required=True)
        if text is None or self.rooms is None:
            return text
        name = self._rooms.get(fold(text))
        if name is None:
            near = difflib.get_close_matches(text, list(self.rooms), n=3, cutoff=0.5)
            hint_zh = f"是不是{'、'.join(near)}？否则" if near else ""
            hint_en = f"perhaps {', '.join(near)} is meant; otherwise " if near else ""
            record.fault(
                "room",
                "unknown-room",
                hint_zh=f"{hint_zh}请改正，或在“考室”表里加上这个考室",
                hint_en=f"{hint_en}correct it, or add the room to the sheet 考室",
            )
        return name

    def _seat(self, record: Record, room: str | None) -> str | None:
        text = record.text("seat", normalise.number, required=True)
        if text is None:
            return None
        plan = (self.rooms or {}).get(room) if room is not None else None
        size: dict[str, object] = {
            "seats": plan.seats if plan else "N",
            "spares": plan.spares if plan else "k",
            "room": room,
        }
        spare, regular = _SPARE.fullmatch(text), _REGULAR.fullmatch(text)
        if spare is None and regular is None:
            record.fault("seat", "seat-not-a-number", None, "", **size)
            return None
        found = spare or regular
        number = int(found.group(1)) if found is not None else 0
        most = None if plan is None else plan.spares if spare else plan.seats
        if number < 1:
            record.fault("seat", "seat-not-positive", None, "", **size)
            return None
        if most is not None and number > most:
            record.fault("seat", "spare-beyond-room" if spare else "seat-beyond-room", None, "", **size)
            return None
        label = spare_label(number) if spare else str(number)
        if label != text:
            record.fault("seat", "respelled", after=label)
        if spare:
            record.fault("seat", "spare-seat-used")
        return label

    def _session_numbers(self, record: Record) -> tuple[int, ...] | None:
        text = record.text("session", required=True)
        if text is None:
            return None
        known = self.sessions
        if text.upper() in _ALL and known is not None:
            record.fault("session", "respelled", after=",".join(map(str, known)))
            return tuple(known)
        numbers: list[int] = []
        wrong = False
        for part in filter(None, _SEPARATORS.split(text)):
            found = self._expand(part)
            if found is None or (known is not None and not set(found) <= set(known)):
                said = part if found is None else ",".join(str(n) for n in found if n not in (known or ()))
                record.fault("session", "unknown-session", session=said, known=",".join(map(str, known or ())))
                wrong = True
                continue
            numbers.extend(found)
        if not wrong and not numbers:
            record.fault("session", "missing-value")
        elif len(set(numbers)) < len(numbers):
            record.fault("session", "repeated-session")
            wrong = True
        return None if wrong or not numbers else tuple(sorted(numbers))

    def _expand(self, part: str) -> list[int] | None:
        """The sessions one word of the cell means: a number, a name, or a range '1-3'; None if it is none of these."""
        named = self._names.get(fold(part))
        if named is not None:
            return [named]
        number = session_number(fold(part))
        if number is not None:
            return [number]
        ranged = _RANGE.fullmatch(fold(part))
        if ranged is None:
            return None
        first, last = int(ranged.group(1)), int(ranged.group(2))
        return list(range(first, last + 1)) if first < last else None
