"""Sheets for the door and the room, printed before a session: door list, sign-in sheet, seat map, and the offline roll
点名表, on which a room without its tablet calls the roll and writes down its times.

They tell the allocation as it stands when they are printed. A door list hangs where anybody passes: it has no more of a
ticket than tells two people of one name apart, and nothing of a document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from app.documents import sheets
from app.documents.model import Language
from app.documents.sheets import Blank, Photo, Roll, SeatMap, Sheet, Tile
from app.domain.errors import Refused
from app.domain.identity import mask_id
from app.domain.roles import allows, scope
from app.storage.postgres import printables, time_terms
from app.storage.postgres.staff import Login

# As the database gives it, or as a test makes it up.
Row = Mapping[Any, Any]
What = Literal["door-list", "sign-in-sheet", "seat-map", "roll"]
WHATS: tuple[What, ...] = get_args(What)
# The least of a ticket on a door.
TAIL = 4
# As the console's seat map has them.
COLUMNS = 8
WORDS: Mapping[str, tuple[str, str]] = {
    "door-list": ("应考人员名单", "Candidates of this room"),
    "sign-in-sheet": ("签到表", "Sign-in sheet"),
    "seat-map": ("考室座位图", "Seat map"),
    "roll": ("点名表", "Offline roll"),
    "room": ("考室", "Room"), "session": ("场次", "Session"), "starts": ("开考", "Starts"),
    "expected": ("应考", "Expected"), "people": ("{n} 人", "{n}"), "spares": ("备用机位", "Spare seats"),
    "n": ("序号", "No."), "name": ("姓名", "Name"), "gender": ("性别", "Sex"),
    "tail": ("准考证号末位", "Ticket ends"),
    "ticket": ("准考证号", "Ticket"), "seat": ("机位", "Seat"), "id": ("证件号码", "Document"),
    "photo": ("照片", "Photo"), "signature": ("本人签字", "Signature"), "note": ("备注", "Note"),
    "present": ("实到", "Present"), "absent": ("缺考", "Absent"), "came": ("到场时间", "Came at"),
    "moved": ("换至机位", "Moved to"), "left": ("离场 / 返回", "Left / back"), "handed": ("交卷时间", "Handed in"),
    "front": ("讲台", "Front"), "spare": ("备用", "spare"), "broken": ("故障", "out of order"), "free": ("空", "free"),
    "times": ("时间与事件记录", "Times and incidents"), "at": ("时间", "At"), "what": ("事项", "What"),
    "of": ("涉及机位", "Seats"), "done": ("处理情况", "What was done"), "told": ("报告对象", "Told to"),
    "f_expected": ("应考人数", "Expected"), "f_present": ("实考人数", "Present"), "f_absent": ("缺考人数", "Absent"),
    "f_began": ("实际开考时间", "Began at"), "f_ended": ("实际结束时间", "Ended at"),
    "invigilator": ("监考人员", "Invigilator"), "chief": ("主考", "Chief"), "date": ("日期", "Date"),
    "roll_hint": (
        "平板或网络不可用时使用；恢复后由考务办公室补录。",
        "For when tablet or network are away; the exam office enters it afterwards.",
    ),
    "printed": ("打印时间 {at}", "Printed {at}"),
}  # fmt: skip


async def pages(
    engine: AsyncEngine,
    login: Login,
    what: What,
    *,
    session_id: int,
    room_id: int | None,
    language: Language,
    photos: bool,
    now_ms: int,
) -> AsyncIterator[str]:
    """The document, part by part: of the room, or of every room within reach in which somebody sits in the session.

    Refused: not-permitted (a room out of reach), not-found (no such session or room, or nobody anywhere).
    """
    reach = scope(login.role, "view-room")
    if room_id is not None and not allows(login.role, "view-room", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    async with engine.connect() as conn:
        only = {room_id} if room_id is not None else None if reach == "all" else login.own_room_ids
        found = await printables.rooms(conn, session_id, only=only, named=room_id is not None)
        if not found:
            raise Refused("not-found")
        wall = await time_terms.wall_time(conn, now_ms)
    printed = f"{datetime.now(UTC).astimezone(ZoneInfo(found[0]['timezone'])):%Y-%m-%d %H:%M}"
    starts = found[0]["planned_start"] if found[0]["start_ms"] is None else wall.at(found[0]["start_ms"])
    starts_at = f"{starts.astimezone(ZoneInfo(found[0]['timezone'])):%Y-%m-%d %H:%M}"
    yield sheets.begin(_word(language, what), language)
    for room in found:
        # A connection for each room: between two pages the reader may take its time.
        async with engine.connect() as conn:
            seats = await printables.seats(conn, session_id, room["id"])
            faces = {}
            # Whoever may look at the room need not be somebody who sees faces.
            sees = allows(login.role, "check-in", room_id=room["id"], own_room_ids=login.own_room_ids)
            if photos and sees and what == "sign-in-sheet":
                faces = await printables.photos(conn, [seat["candidate_id"] for seat in seats if seat["ticket"]])
        yield sheets.told(sheet(what, room, seats, language, starts=starts_at, printed=printed, faces=faces))
    yield sheets.END


def _word(language: Language, key: str, **values: object) -> str:
    return WORDS[key][0 if language == "zh" else 1].format(**values)


def sheet(
    what: What,
    room: Row,
    seats: Sequence[Row],
    language: Language,
    *,
    starts: str,
    printed: str,
    faces: Mapping[int, tuple[str, bytes]],
) -> Sheet:
    """One room's sheet. Pure."""

    def word(key: str, **values: object) -> str:
        return _word(language, key, **values)

    people = [seat for seat in seats if seat["ticket"] is not None]
    common: dict[str, Any] = {
        "title": word(what),
        "subtitle": room["exam"],
        "facts": [
            (word("room"), f"{room['building']} {room['name']}"),
            (word("session"), room["session"]),
            (word("starts"), starts),
            (word("expected"), word("people", n=len(people))),
        ],
        "foot": word("printed", at=printed),
    }
    watch = [word("invigilator"), word("invigilator"), word("chief"), word("date")]
    match what:
        case "door-list":
            return Sheet(**common, blocks=[_door_list(people, word)])
        case "sign-in-sheet":
            return Sheet(**common, blocks=[_sign_in(people, word, faces)], sign=watch)
        case "seat-map":
            tiles = [_tile(seat, word) for seat in seats]
            return Sheet(**common, blocks=[SeatMap(word("front"), tiles, COLUMNS)], wide=True)
        case "roll":
            head = [word(key) for key in ("at", "what", "of", "done", "told", "signature")]
            common["foot"] = f"{word('roll_hint')} {common['foot']}"
            return Sheet(
                **common,
                blocks=[_roll(people, word), Blank(word("times"), head, (2, 5, 3, 6, 3, 3), 9)],
                fill=[word(key) for key in ("f_expected", "f_present", "f_absent", "f_began", "f_ended")],
                sign=watch,
                wide=True,
            )


def _by_name(seat: Row) -> tuple[bytes, int]:
    # GB 18030 keeps the common characters in the order of their sound, which no locale of the database does here.
    return seat["name"].encode("gb18030", "replace"), seat["ordinal"]


def tails(people: Sequence[Row]) -> list[str]:
    """The end of everybody's ticket, as long as it takes to tell all of one name apart."""
    longest = max((len(one["ticket"]) for one in people), default=0)
    for length in range(TAIL, longest):
        each = [(one["name"], one["ticket"][-length:]) for one in people]
        if max(Counter(each).values()) == 1:
            return [tail for _, tail in each]
    return [one["ticket"] for one in people]


def _door_list(people: Sequence[Row], word: Any) -> Roll:
    ordered = sorted(people, key=_by_name)
    rows = [
        [str(n), one["name"], one["gender"], tail, one["seat"]]
        for n, (one, tail) in enumerate(zip(ordered, tails(ordered), strict=True), 1)
    ]
    return Roll([word(key) for key in ("n", "name", "gender", "tail", "seat")], rows, (2, 6, 2, 4, 3))


def _sign_in(people: Sequence[Row], word: Any, faces: Mapping[int, tuple[str, bytes]]) -> Roll:
    head = ["seat", "name", "gender", "ticket", "id", *(["photo"] if faces else []), "signature", "note"]
    rows = [
        [
            one["seat"], one["name"], one["gender"], one["ticket"], _short(mask_id(one["id_number"])),
            *([Photo(*faces[one["candidate_id"]]) if one["candidate_id"] in faces else ""] if faces else []),
            "", "",
        ]
        for one in people
    ]  # fmt: skip
    widths = (3, 5, 2, 7, 6, *((4,) if faces else ()), 7, 4)
    return Roll([word(key) for key in head], rows, widths, "photo" if faces else "tall")


def _short(masked: str) -> str:
    # What is hidden takes no room on paper.
    return re.sub(r"\*{4,}", "****", masked)


def _tile(seat: Row, word: Any) -> Tile:
    if seat["ticket"] is not None:
        note = word("broken") if seat["out_of_order"] is not None else word("spare") if seat["is_spare"] else ""
        return Tile(seat["seat"], [seat["name"], seat["ticket"]], "taken", note)
    if seat["out_of_order"] is not None:
        return Tile(seat["seat"], [], "broken", word("broken"))
    return Tile(
        seat["seat"], [], "spare" if seat["is_spare"] else "empty", word("spare" if seat["is_spare"] else "free")
    )


def _roll(people: Sequence[Row], word: Any) -> Roll:
    head = ("seat", "name", "ticket", "present", "absent", "came", "moved", "left", "handed", "signature", "note")
    rows = [[one["seat"], one["name"], one["ticket"], "□", "□", "", "", "", "", "", ""] for one in people]
    return Roll([word(key) for key in head], rows, (2, 5, 6, 3, 3, 4, 4, 5, 4, 5, 5), "tall")
