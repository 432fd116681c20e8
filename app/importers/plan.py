"""The sheets 考室 and 场次: where the exam is held, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from app.importers.faults import Fault, Report
from app.importers.model import RoomPlan, SessionPlan
from app.importers.normalise import line, number
from app.importers.records import Record
from app.importers.tables import Column, Kind, Table, records

ROOMS = Kind(
    "rooms",
    ("考室", "考场", "rooms"),
    (
        Column("room", "考室", ("考场", "考室名称", "考场名称", "考室号", "考场号", "room"), required=True),
        Column("building", "楼宇", ("楼", "教学楼", "楼名", "所在楼", "building"), required=True, spans=True),
        Column("number", "房间号", ("房间", "教室", "门牌号", "roomnumber", "room number")),
        Column("seats", "正式机位数", ("机位数", "座位数", "正式座位数", "seats"), required=True, spans=True),
        Column("spares", "备用机位数", ("备用座位数", "备用机", "spare seats", "spares"), spans=True),
    ),
)

SESSIONS = Kind(
    "sessions",
    ("场次", "轮次", "sessions"),
    (
        Column("number", "场次", ("轮次", "场次号", "session"), required=True),
        Column("name", "名称", ("场次名称", "轮次名称", "name")),
        Column("date", "日期", ("考试日期", "date"), spans=True),
        Column("start", "开始时间", ("开考时间", "开始", "start"), required=True),
        Column("end", "结束时间", ("结束", "end")),
        Column("minutes", "时长", ("考试时长", "时长分钟", "duration", "minutes")),
        Column("sign_in_opens", "提前登录", ("登录开放", "提前入场", "sign-in opens"), spans=True),
        Column("last_admission", "最迟入场", ("迟到时限", "last admission"), spans=True),
        Column("earliest_hand_in", "最早交卷", ("最早交卷时间", "earliest hand-in"), spans=True),
    ),
)

MINUTE_MS = 60_000
MOST_SEATS = 1_000
MOST_SPARES = 100
LONGEST_HOURS = 12
_CHINESE = {char: n for n, char in enumerate("一二三四五六七八九十", start=1)}
_NUMBERED = re.compile(r"第?(\d{1,3}|[一二三四五六七八九十])[场轮次]*")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:：时点](\d{2})分?(?:[:：](\d{2})秒?)?")


def read_rooms(tables: Iterable[Table], report: Report) -> dict[str, RoomPlan | None]:
    """Rooms by name in the file's order; None where the room is named but its row is faulty."""
    rooms: dict[str, RoomPlan | None] = {}
    rows: dict[str, int] = {}
    for table in tables:
        for row in records(table, report):
            record = Record(table, row, report)
            name = record.text("room", required=True)
            building = record.text("building", required=True)
            label = record.text("number")
            seats = record.whole("seats", least=1, most=MOST_SEATS, required=True)
            spares = record.whole("spares", least=0, most=MOST_SPARES, default=0)
            if name is None:
                continue
            if name in rooms:
                record.fault("room", "duplicate-room", row=rows[name])
                continue
            rows[name] = row.number
            whole = building is not None and seats is not None and spares is not None
            rooms[name] = RoomPlan(name, building or "", label or "", seats or 0, spares or 0) if whole else None
        _refuse_empty(table, bool(table.rows), report)
    return rooms


def read_sessions(tables: Iterable[Table], report: Report) -> dict[int, SessionPlan | None]:
    """Sessions by number in the file's order; None where the session is numbered but its row is faulty."""
    sessions: dict[int, SessionPlan | None] = {}
    rows: dict[int, int] = {}
    for table in tables:
        for row in records(table, report):
            record = Record(table, row, report)
            number_ = _number(record)
            plan = _session(record, number_)
            if number_ is None:
                continue
            if number_ in sessions:
                record.fault("number", "duplicate-session", row=rows[number_])
                continue
            rows[number_] = row.number
            sessions[number_] = plan
        _refuse_empty(table, bool(table.rows), report)
    return sessions


def _refuse_empty(table: Table, has_rows: bool, report: Report) -> None:
    if not has_rows:
        place = table.place(table.header.number)
        report.add(Fault("sheet-empty", place, params={"sheet_name": table.sheet.name}))


def session_number(text: str) -> int | None:
    """3 for '3', '第3场', '第三场'; None for anything else."""
    found = _NUMBERED.fullmatch(text)
    if found is None:
        return None
    digits = found.group(1)
    return _CHINESE.get(digits) or int(digits)


def _number(record: Record) -> int | None:
    text = record.text("number", number, required=True)
    if text is None:
        return None
    value = session_number(text)
    if value is None or value < 1:
        record.fault("number", "not-a-whole-number", least=1, most=999)
        return None
    return value


def _session(record: Record, number_: int | None) -> SessionPlan | None:
    name = record.text("name")
    day = _moment(record, "date", None)[0] if record.has("date") else None
    day, begins = _moment(record, "start", day, required=True)
    end_day, ends = _moment(record, "end", day)
    minutes = record.whole("minutes", least=1, most=LONGEST_HOURS * 60)
    early = record.whole("sign_in_opens", least=0, most=24 * 60)
    late = record.whole("last_admission", least=0, most=LONGEST_HOURS * 60)
    hand_in = record.whole("earliest_hand_in", least=0, most=LONGEST_HOURS * 60)
    if day is None or begins is None:
        return None
    start = datetime.combine(day, begins)
    duration = _duration(record, start, datetime.combine(end_day or day, ends) if ends else None, minutes)
    if duration is None or number_ is None:
        return None
    return SessionPlan(
        number_,
        name or f"第{number_}场",
        start,
        duration,
        None if early is None else early * MINUTE_MS,
        None if late is None else late * MINUTE_MS,
        None if hand_in is None else hand_in * MINUTE_MS,
    )


def _duration(record: Record, start: datetime, end: datetime | None, minutes: int | None) -> int | None:
    if end is None:
        if minutes is not None:
            return minutes * MINUTE_MS
        given = [key for key in ("end", "minutes") if record.cell(key).kind != "empty"]
        if not given:  # a value that was given but is wrong has been reported already
            record.fault("end" if record.has("end") else "minutes", "no-duration")
        return None
    between = end - start
    if between <= timedelta(0):
        record.fault("end", "end-before-start")
        return None
    if between > timedelta(hours=LONGEST_HOURS):
        record.fault("end", "session-too-long", hours=LONGEST_HOURS)
        return None
    if minutes is not None and between != timedelta(minutes=minutes):
        record.fault("minutes", "duration-differs", minutes=minutes, between=between // timedelta(minutes=1))
        return None
    return int(between / timedelta(milliseconds=1))


def _moment(record: Record, key: str, day: date | None, *, required: bool = False) -> tuple[date | None, time | None]:
    """The date and time in a cell; a missing date is ``day``. (None, None) where empty or wrong."""
    cell = record.cell(key)
    match cell.value:
        case datetime():
            # Excel keeps a fraction of a day: half past eight may arrive as 08:29:59.999999.
            whole = (cell.value + timedelta(milliseconds=500)).replace(microsecond=0)
            return whole.date(), whole.time()
        case date():
            return cell.value, None
        case time() if day is not None:
            return day, cell.value.replace(microsecond=0)
    text = record.text(key, line, required=required) if cell.kind != "date" else str(cell.value)
    if text is None:
        return None, None
    found = _parse(text, day)
    if found is None or (key != "date" and found[1] is None):
        record.fault(key, "bad-time")
        return None, None
    return found


def _parse(text: str, day: date | None) -> tuple[date, time | None] | None:
    rest = text
    try:
        dated = _DATE.match(text)
        if dated is not None:
            day = date(*(int(part) for part in dated.groups()))
            rest = text[dated.end() :].strip(" T")
        if day is None:
            return None
        if not rest:
            return day, None
        timed = _TIME.fullmatch(rest)
        if timed is None:
            return None
        hour, minute, second = (int(part or 0) for part in timed.groups())
        return day, time(hour, minute, second)
    except ValueError:
        return None
