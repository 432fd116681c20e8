"""A small exam made the way an office makes one: workbooks through the importers, a blueprint, a draw, a start."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from openpyxl import Workbook
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.blueprint import Blueprint, Section, Stratum
from app.domain.identity import check_digit, id_tail
from app.importers.bank import read_bank
from app.importers.roster import read_roster
from app.secrets import site_secret
from app.services import drawing, importing, scheduling, staff_accounts, timetable
from app.services.import_target import Target
from app.services.importing import Source
from app.storage.postgres import blueprints, exams
from tests.e2e.bank import HEADER, ROWS, write_pictures
from tests.e2e.server import Server

PASSWORD = "监考用密码-correct-1"
NAMES = ("林秋实", "欧阳文博", "陈知远", "阿依古丽·买买提", "王𬬮", "赵小满", "周子衿", "吴桐")
_MADE = count(1)
ROOM, SPARES = "第01考室", ("备1", "备2")
BUILDINGS = ("现教南楼", "实训楼A", "实训楼B")
BLUEPRINT = Blueprint(
    (
        Section("单选题", (Stratum("水文", "single", 3, None), Stratum("识图", "single", 1, None))),
        Section("多选题", (Stratum(None, "multiple", 2, 2000),)),
        Section("判断题", (Stratum(None, "true_false", 2, None),)),
        Section("填空题", (Stratum(None, "blank", 1, 2000),)),
        Section("简答题", (Stratum(None, "text", 1, 5000),)),
    )
)


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it stands on one candidate's paper; ``options`` are the ids in drawn order."""

    item: int
    position: int
    type: str
    stem: str
    options: tuple[str, ...]
    blanks: int
    pictured: bool


@dataclass(frozen=True, slots=True)
class Person:
    ticket: str
    tail: str
    name: str
    seat: str
    attempt: UUID
    paper: tuple[Item, ...]

    def first(self, kind: str) -> Item:
        return next(item for item in self.paper if item.type == kind)


@dataclass(slots=True)
class Exam:
    """One exam: a room with two spare seats (or several, the first of which is ``room_id``), one session."""

    code: str
    id: int
    session_id: int
    room_id: int
    people: list[Person] = field(default_factory=list)
    invigilator: str = ""


async def make_exam(
    server: Server,
    engine: AsyncEngine,
    folder: Path,
    code: str,
    *,
    candidates: int,
    starts_in: timedelta | None = timedelta(0),
    minutes: int = 90,
    rooms: int = 1,
    seed: str = "e2e",
) -> Exam:
    """The exam, anchored to start ``starts_in`` from now (None: the day is not opened), and its invigilator's account,
    who has the first room; the candidates go round the ``rooms``, which stand in three buildings.

    Tickets begin with ``code`` and a number, so that several exams live in one server side by side.
    """
    code = f"{code}{next(_MADE)}-"
    people = [(f"{code}{n:03}", NAMES[(n - 1) % len(NAMES)], _id_number(code, n)) for n in range(1, candidates + 1)]
    target = Target(code=code, name="水利专业技术资格考试")
    roster, report, book = read_roster(_write_roster(folder / f"{code}-roster.xlsx", people, minutes, rooms))
    assert roster is not None, report.faults
    await importing.import_roster(
        engine, roster, key=site_secret(server.settings), source=Source(book.file, book.sha256), target=target
    )
    bank, report, book = read_bank(_write_bank(folder, code))
    assert bank is not None, report.faults
    await importing.import_bank(engine, bank, source=Source(book.file, book.sha256), target=target)
    async with engine.begin() as conn:
        session = (await blueprints.sessions(conn, code))[0]
        await blueprints.set_blueprint(conn, session["id"], BLUEPRINT.spec())
    await drawing.draw_session(engine, session["id"], seed=f"{seed}/{code}")
    async with engine.begin() as conn:
        room_id = (await staff_accounts.room_ids_named(conn, [ROOM], exam_code=code))[0]
        made = Exam(code, session["exam_id"], session["id"], room_id, invigilator=f"{code}invigilator".lower())
        await staff_accounts.create(
            conn, username=made.invigilator, name="高明", role="invigilator", password=PASSWORD, room_ids=[room_id]
        )
    async with engine.connect() as conn:
        made.people = [await _person(conn, session["id"], person) for person in people]
    if starts_in is not None:
        await start(engine, made, starts_in)
    return made


async def start(engine: AsyncEngine, exam: Exam, starts_in: timedelta) -> None:
    """What the office does on the day: a fresh countdown for the session."""
    async with engine.begin() as conn:
        found = await exams.resolve(conn, exam.code)
        now = await timetable.moment(conn)
        await scheduling.start_in(conn, found, 1, delay=starts_in, now_wall=now.wall, service_now_ms=now.service_ms)


async def _person(conn: Any, session_id: int, person: tuple[str, str, str]) -> Person:
    ticket, name, number = person
    row = (
        await conn.execute(
            text(
                "SELECT a.id, s.label, p.body FROM candidate c JOIN attempt a ON a.candidate_id = c.id"
                " JOIN allocation al ON al.candidate_id = c.id AND al.session_id = a.session_id"
                " JOIN seat s ON s.id = al.seat_id JOIN paper p ON p.attempt_id = a.id"
                " WHERE c.ticket = :t AND a.session_id = :s"
            ),
            {"t": ticket, "s": session_id},
        )
    ).one()
    paper = paper_of(json.loads(gzip.decompress(row.body)))
    return Person(ticket, id_tail(number), name, row.label, row.id, paper)


def paper_of(body: dict[str, Any]) -> tuple[Item, ...]:
    """A paper as pages get it."""
    return tuple(
        Item(
            item["item"], item["position"], item["type"], item["stem"],
            tuple(option["id"] for option in item["options"]), item.get("blanks", 0), bool(item["media"]),
        )
        for section in body["sections"] for item in section["items"]
    )  # fmt: skip


def _id_number(code: str, n: int) -> str:
    """A number of a region that does not exist, different in every exam and right in its check digit."""
    first = f"990001{1970 + n}0{n % 9 + 1}{10 + sum(code.encode()) % 18:02}{n:03}"
    return first + check_digit(first)


def room_name(n: int) -> str:
    """The name of room ``n``, from 0; the first is ``ROOM``."""
    return f"第{n + 1:02}考室"


def _write_roster(path: Path, people: list[tuple[str, str, str]], minutes: int, rooms: int) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("考场编排")
    sheet.append(["准考证号", "姓名", "性别", "身份证号", "报考专业", "考室", "座位号", "场次"])
    for n, (ticket, name, number) in enumerate(people):
        # The seventeenth digit says the gender, and the importer compares.
        gender = "男" if int(number[16]) % 2 else "女"
        sheet.append([ticket, name, gender, number, "水工建筑", room_name(n % rooms), str(n // rooms + 1), "1"])
    sheet = book.create_sheet("考室")
    sheet.append(["考室", "楼宇", "房间号", "正式机位数", "备用机位数"])
    for n in range(rooms):
        seats = -(-(len(people) - n) // rooms)
        sheet.append([room_name(n), BUILDINGS[3 * n // rooms], f"现{101 + n}", seats, len(SPARES)])
    sheet = book.create_sheet("场次")
    sheet.append(["场次", "名称", "开始时间", "时长(分钟)", "最迟入场(分钟)", "最早交卷(分钟)"])
    start_at = datetime.now() + timedelta(hours=1)  # noqa: DTZ005 -- a plan as an office writes it; the start is anchored
    sheet.append([1, "第一场", f"{start_at:%Y-%m-%d %H:%M}", minutes, minutes, 0])
    book.save(path)
    return path


def _write_bank(folder: Path, code: str) -> Path:
    write_pictures(folder)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("试题")
    sheet.append(list(HEADER))
    for row in ROWS:
        sheet.append(list(row))
    path = folder / f"{code}-bank.xlsx"
    book.save(path)
    return path
