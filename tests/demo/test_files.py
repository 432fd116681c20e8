"""The demo's workbooks go through the real importers without a fault and without anything to put right."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.demo.bank import items
from app.demo.files import TITLE, write_bank, write_roster
from app.demo.people import hall
from app.importers.bank import read_bank
from app.importers.roster import read_roster

START = datetime(2026, 7, 20, 8, 30)  # noqa: DTZ001 -- in the exam's zone, as people write it


def test_the_roster_is_imported_as_it_was_written(tmp_path: Path) -> None:
    whole = hall()
    roster, report, _ = read_roster(write_roster(tmp_path / "roster.xlsx", whole, START))
    assert not report.faults
    assert not report.notes
    assert roster is not None
    assert roster.title == TITLE
    assert [(plan.start, plan.duration_ms) for plan in roster.sessions] == [
        (START, 90 * 60_000),
        (START.replace(minute=40), 90 * 60_000),
    ]
    assert [(room.name, room.building, room.seats, room.spares) for room in roster.rooms] == [
        (room.name, room.building, room.seats, room.spares) for room in whole.rooms
    ]
    for imported, person in zip(roster.candidates, whole.people, strict=True):
        assert (imported.ticket, imported.name, imported.gender) == (person.ticket, person.name, person.gender)
        assert (imported.id_kind, imported.id_number) == (person.id_kind, person.id_number)
        (placement,) = imported.placements
        assert (placement.room, placement.seat, placement.session) == (person.room, str(person.seat), person.session)


def test_the_bank_is_imported_as_it_was_written(tmp_path: Path) -> None:
    bank, report, _ = read_bank(write_bank(tmp_path))
    assert not report.faults
    assert not report.notes
    assert bank is not None
    assert len(bank.media) == 6
    for imported, item in zip(bank.items, items(), strict=True):
        assert (imported.number, imported.type, imported.topic) == (item.number, item.type, item.topic)
        assert imported.stem == item.stem
        assert imported.points_milli == item.points_milli
        assert len(imported.media) == (1 if item.image else 0)
        if item.type in ("single", "multiple"):
            assert [option.text for option in imported.options] == list(item.options)
            assert "".join(imported.key or []) == item.key  # type: ignore[arg-type]
        elif item.type == "true_false":
            assert imported.key == item.key
        elif item.type == "blank":
            assert imported.key == [list(forms) for forms in item.blanks]
        else:
            assert imported.key == item.reference
