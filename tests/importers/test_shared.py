"""The same importers on real input, where it stands beside the checkout."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from app.importers.bank import read_bank
from app.importers.roster import read_roster


def test_the_roster(shared_data: Path) -> None:
    roster, report, _ = read_roster(shared_data / "roster.xlsx")
    assert report.faults == []
    assert roster is not None
    assert report.counts == {
        "candidates": 1880,
        "allocations": 5640,
        "sessions": 3,
        "buildings": 3,
        "rooms": 47,
        "seats": 1880,
        "spare_seats": 117,
    }
    assert Counter(note.code for note in report.notes) == {"stray-blanks": 40, "full-width": 40, "lower-case": 20}
    assert [session.start for session in roster.sessions] == [
        datetime(2024, 7, 20, 8, 30),  # noqa: DTZ001
        datetime(2024, 7, 20, 10, 30),  # noqa: DTZ001
        datetime(2024, 7, 20, 14, 0),  # noqa: DTZ001
    ]
    assert all(candidate.ticket.isascii() and candidate.ticket.isdigit() for candidate in roster.candidates)


def test_the_rounds(shared_data: Path) -> None:
    roster, report, _ = read_roster(shared_data / "roster-rounds.xlsx")
    assert report.faults == []
    assert roster is not None
    by_session = Counter(placement.session for each in roster.candidates for placement in each.placements)
    assert by_session == {1: 627, 2: 627, 3: 626}
    assert report.counts["allocations"] == 1880


def test_every_planted_fault_and_no_other(shared_data: Path) -> None:
    roster, report, _ = read_roster(shared_data / "roster-with-errors.xlsx")
    assert roster is None
    assert [(fault.code, fault.place.reference) for fault in report.faults] == [
        ("duplicate-ticket", "考场编排!B6"),
        ("id-check-digit", "考场编排!E8"),
        ("duplicate-seat", "考场编排!I11"),
        ("unknown-room", "考场编排!H14"),
        ("missing-value", "考场编排!C17"),
        ("unknown-session", "考场编排!J20"),
        ("seat-beyond-room", "考场编排!I23"),
        ("number-lost-digits", "考场编排!E26"),
        ("formula", "考场编排!B29"),
        ("duplicate-id-number", "考场编排!E32"),
        ("seat-not-positive", "考场编排!I35"),
        ("missing-value", "考场编排!J38"),
    ]


def test_the_bank(shared_data: Path) -> None:
    bank, report, _ = read_bank(shared_data / "bank.xlsx")
    assert report.faults == []
    assert bank is not None
    assert report.counts == {"items": 417, "single": 417, "media": 0}
    assert Counter(item.topic for item in bank.items) == {"机电": 172, "施工与项目管理": 139, "水文与水资源": 106}
    assert [(note.code, note.place.cell) for note in report.notes] == [("same-stem", "D141")]
