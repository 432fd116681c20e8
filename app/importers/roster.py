"""Reading a roster (编排表): who sits where in which session.

``read_roster`` never stops at a fault: rows that are wrong in one column are still checked in all others and against
each other, so that the report is complete and the file is mended once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path

from app.importers.faults import Fault, Place, Report
from app.importers.model import CandidatePlan, Placement, RoomPlan, Roster, SessionPlan
from app.importers.people import Person, read_person
from app.importers.plan import MINUTE_MS, ROOMS, SESSIONS, read_rooms, read_sessions
from app.importers.reading import read_workbook
from app.importers.records import Record
from app.importers.seating import Seating
from app.importers.tables import Column, Kind, Table, find_tables, records
from app.importers.workbook import Progress, Row, Workbook

CANDIDATES = Kind(
    "roster",
    ("考场编排", "编排表", "考生名单", "应考人员", "roster"),
    (
        Column("ticket", "准考证号", ("准考证", "准考证号码", "考号", "admission ticket", "ticket"), required=True),
        Column("name", "姓名", ("考生姓名", "应考人员", "name"), required=True),
        Column("gender", "性别", ("gender", "sex")),
        Column("id_kind", "证件类型", ("证件种类", "证件名称", "id kind", "document"), spans=True),
        Column(
            "id_number",
            "身份证号",
            ("身份证", "身份证号码", "证件号", "证件号码", "身份证件号", "身份证件号码", "id number", "id"),
            required=True,
            is_id=True,
        ),
        Column("specialty", "报考专业", ("专业", "专业名称", "申报专业", "specialty"), spans=True),
        Column("employer", "工作单位", ("单位", "单位名称", "所在单位", "employer"), spans=True),
        Column("room", "考室", ("考场", "考室名称", "考场名称", "考场号", "考室号", "room"), required=True, spans=True),
        Column("seat", "座位号", ("座位", "座号", "机位", "机位号", "座次", "seat"), required=True),
        Column("session", "场次", ("轮次", "考试场次", "session", "sessions"), required=True, spans=True),
        Column("extra", "加时", ("延长时间", "加时分钟", "extra minutes")),
        Column("ordinal", "序号", ("编号", "no.", "no")),
    ),
)
MOST_EXTRA_MINUTES = 240


def read_roster(
    path: Path, *, rooms: Path | None = None, sessions: Path | None = None, progress: Progress | None = None
) -> tuple[Roster | None, Report, Workbook]:
    """The roster in ``path`` (and the CSV files of its rooms and sessions), its report, and the file as read.

    The roster is None if the report holds a fault. Raises Unreadable where there is nothing to report on.
    """
    book = read_workbook([path, *filter(None, (rooms, sessions))], progress=progress)
    report = Report(book.file, "roster")
    return parse_roster(book, report), report, book


def parse_roster(book: Workbook, report: Report) -> Roster | None:
    """The roster in a workbook; None if ``report`` then holds a fault."""
    tables = find_tables(book, (CANDIDATES, ROOMS, SESSIONS), report)
    by_kind: dict[str, list[Table]] = defaultdict(list)
    for table in tables:
        by_kind[table.kind.key].append(table)
    for kind in (CANDIDATES, ROOMS, SESSIONS):
        if not by_kind[kind.key]:
            params: dict[str, object] = {"sheet_name": kind.names[0], "wanted": kind.wanted}
            report.add(Fault("sheet-missing", Place(sheet=kind.names[0]), params=params))
    rooms = read_rooms(by_kind["rooms"], report) if by_kind["rooms"] else None
    sessions = read_sessions(by_kind["sessions"], report) if by_kind["sessions"] else None
    days = [plan.start.date() for plan in (sessions or {}).values() if plan is not None]
    reading = _Reading(report, Seating(rooms, sessions), min(days, default=None))
    for table in by_kind["roster"]:
        reading.read(table)
    reading.check_extra_time(sessions or {})
    candidates = reading.candidates()
    _check_overlaps(by_kind["sessions"], sessions or {}, candidates, report)
    _note_unused(by_kind, rooms or {}, sessions or {}, candidates, report)
    if not report.ok or rooms is None or sessions is None:
        return None
    roster = Roster(
        by_kind["roster"][0].title,
        tuple(room for room in rooms.values() if room is not None),
        tuple(plan for plan in sessions.values() if plan is not None),
        tuple(candidates),
    )
    report.counts = counts(roster)
    return roster


def counts(roster: Roster) -> dict[str, int]:
    """How many of everything the roster holds."""
    return {
        "candidates": len(roster.candidates),
        "allocations": sum(len(candidate.placements) for candidate in roster.candidates),
        "sessions": len(roster.sessions),
        "buildings": len({room.building for room in roster.rooms}),
        "rooms": len(roster.rooms),
        "seats": sum(room.seats for room in roster.rooms),
        "spare_seats": sum(room.spares for room in roster.rooms),
    }


class _Entry:
    """A candidate as gathered so far: where first named, and the placements of every row."""

    def __init__(self, person: Person, record: Record) -> None:
        self.person = person
        self.record = record
        self.specialty = record.text("specialty") or ""
        self.employer = record.text("employer") or ""
        self.extra = record.whole("extra", least=0, most=MOST_EXTRA_MINUTES, default=0) or 0
        self.placements: list[Placement] = []


class _Reading:
    """Rows against each other: tickets, documents and seats must be one candidate's each."""

    def __init__(self, report: Report, seating: Seating, first_day: date | None) -> None:
        self.report = report
        self.seating = seating
        self.first_day = first_day
        self.entries: list[_Entry] = []
        self.tickets: dict[str, _Entry] = {}
        self.documents: dict[tuple[str, str], _Entry] = {}
        self.seats: dict[Placement, Record] = {}

    def read(self, table: Table) -> None:
        rows = list(records(table, self.report))
        if not rows:
            place = table.place(table.header.number)
            self.report.add(Fault("sheet-empty", place, params={"sheet_name": table.sheet.name}))
        for row in rows:
            self._read_row(table, row)

    def _read_row(self, table: Table, row: Row) -> None:
        record = Record(table, row, self.report)
        person = read_person(record, on=self.first_day)
        placements = self.seating.read(record) or ()
        entry = self._entry(person, record, placements)
        for placement in placements:
            self._take_seat(placement, record, placements)
        entry.placements.extend(placements)

    def _entry(self, person: Person, record: Record, placements: Sequence[Placement]) -> _Entry:
        known = self.tickets.get(person.ticket) if person.ticket is not None else None
        if known is not None and self._continues(known, person, placements):
            record.fault_with("ticket", "several-rows", known.record)
            return known
        entry = _Entry(person, record)
        self.entries.append(entry)
        if known is not None:
            record.fault_with("ticket", "duplicate-ticket", known.record)
        elif person.ticket is not None:
            self.tickets[person.ticket] = entry
        if person.id_kind is not None and person.id_number is not None:
            twin = self.documents.setdefault((person.id_kind, person.id_number), entry)
            if twin is not entry:
                record.fault_with("id_number", "duplicate-id-number", twin.record)
        return entry

    @staticmethod
    def _continues(known: _Entry, person: Person, placements: Sequence[Placement]) -> bool:
        """Whether a second row with the ticket is the same person in other sessions."""
        taken = {placement.session for placement in known.placements}
        return (
            person.whole
            and person.identity == known.person.identity
            and bool(placements)
            and not taken & {placement.session for placement in placements}
        )

    def _take_seat(self, placement: Placement, record: Record, together: Sequence[Placement]) -> None:
        other = self.seats.setdefault(placement, record)
        clashes = [each for each in together if self.seats.get(each) not in (None, record)]
        # One fault per row, however many sessions it clashes in.
        if other is not record and placement == clashes[0]:
            sessions = ",".join(str(each.session) for each in clashes)
            record.fault_with("seat", "duplicate-seat", other, session=sessions)

    def check_extra_time(self, sessions: Mapping[int, SessionPlan | None]) -> None:
        """Nobody's extra time runs into the next session they sit; sessions that overlap by themselves are told once
        elsewhere."""
        for entry in self.entries:
            plans = [plan for each in entry.placements if (plan := sessions.get(each.session)) is not None]
            for first, second in pairwise(sorted(plans, key=lambda plan: plan.start)):
                until = first.end + timedelta(minutes=entry.extra)
                if first.end <= second.start < until:
                    entry.record.fault(
                        "extra",
                        "extra-overlaps",
                        first=first.number,
                        second=second.number,
                        until=until.strftime("%H:%M"),
                        start=second.start.strftime("%H:%M"),
                    )

    def candidates(self) -> list[CandidatePlan]:
        """Those whose rows are whole. Only complete if the report holds no fault."""
        found: list[CandidatePlan] = []
        for entry in self.entries:
            person = entry.person
            if person.whole and entry.placements:
                found.append(
                    CandidatePlan(
                        person.ticket or "",
                        person.name or "",
                        person.gender or "",
                        person.id_kind or "",
                        person.id_number or "",
                        entry.specialty,
                        entry.employer,
                        entry.extra * MINUTE_MS,
                        tuple(sorted(entry.placements, key=lambda placement: placement.session)),
                    )
                )
        return found


def _check_overlaps(
    tables: Sequence[Table],
    sessions: Mapping[int, SessionPlan | None],
    candidates: Iterable[CandidatePlan],
    report: Report,
) -> None:
    """Sessions that run at the same time share neither candidates nor seats: one fault per pair of sessions."""
    plans = [plan for plan in sessions.values() if plan is not None]
    seated: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for candidate in candidates:
        for placement in candidate.placements:
            seated[placement.session][placement.room, placement.seat] = candidate.ticket
    for first, second in combinations(plans, 2):
        if not first.overlaps(second):
            continue
        here, there = seated[first.number], seated[second.number]
        both = len(set(here.values()) & set(there.values()))
        seats = sum(here[seat] != there[seat] for seat in here.keys() & there.keys())
        params: dict[str, object] = {"session": second.number, "other": first.number}
        if both:
            report.add(Fault("overlapping-sessions", tables[0].place(0, "start"), params={**params, "count": both}))
        elif seats:
            report.add(Fault("overlapping-seats", tables[0].place(0, "start"), params={**params, "count": seats}))


def _note_unused(
    tables: Mapping[str, Sequence[Table]],
    rooms: Mapping[str, RoomPlan | None],
    sessions: Mapping[int, SessionPlan | None],
    candidates: Iterable[CandidatePlan],
    report: Report,
) -> None:
    if not report.ok:
        return
    used = Counter(
        name for each in candidates for placement in each.placements for name in (placement.room, placement.session)
    )
    for room in rooms:
        if not used[room]:
            report.add(Fault("room-unused", tables["rooms"][0].place(0, "room"), room))
    for number in sessions:
        if not used[number]:
            report.add(Fault("session-unused", tables["sessions"][0].place(0, "number"), str(number)))
