"""Invented candidates, rooms and employers of the demo exam, the same ones every time.

Nobody here exists: the region code of every resident ID (990001) belongs to no place, place names and employers are
made up, and names are put together from two lists by a fixed seed. Their shapes are those of a real roster: compound
surnames, names with ``·``, characters beyond the basic plane, a few passports.

The ticket says where a person sits (``2026`` + room + seat), so that somebody trying the demo can go to any seat of
the hall without a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from app.domain.identity import RESIDENT, check_digit, id_tail

SEED = "holdfast-demo-hall-1"
REGION = "990001"
CANDIDATES = 1880
SEATS = 40

# Of 47 rooms the first 24 sit the running session, the other 23 the next one.
FIRST_SESSION_SHARE = 24 / 47

BUILDINGS = (("听泉楼", "听", 16), ("观澜楼", "观", 16), ("枕溪楼", "枕", 15))
ROOMS_PER_FLOOR = 6

SPECIALTIES = (
    "水文与水资源工程",
    "水工建筑",
    "水利工程施工",
    "水利机电",
    "农田水利",
    "水土保持",
    "防汛抗旱",
    "水利工程管理",
)

_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛"
    "闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_COMPOUND = ("欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "慕容", "令狐")
_GIVEN_MEN = "伟强磊军勇杰涛明超刚平辉健峰波鹏斌飞宇浩凯亮俊帆旭东海江河川源泽渊岳川松柏林森立成安定远志恒毅博文"
_GIVEN_WOMEN = "芳娜敏静丽艳娟霞婷雪玲红梅莉燕云洁莹琳慧琴兰清溪涵汐洋漪沁润淼澜禾苗秋雨晴岚佳欣怡宁安然若素"
_GIVEN_MIDDLE = "子文思晓志建国永春海玉秀家明光学天新宏德永长世景润承怀启望云若以之"

# Characters a font or a database may stumble on: CJK extensions A, B, D and E.
_RARE = ("㛃", "䶮", "𠅤", "𡝠", "𣲗", "𣸣", "𤧛", "𨱔", "𫖯", "𬍛")
_DOTTED = (
    ("阿依古丽·买买提", "女"),
    ("古丽娜尔·艾合买提", "女"),
    ("艾力·吐尔逊", "男"),
    ("努尔兰·哈力克", "男"),
    ("扎西·多吉", "男"),
    ("卓玛·央金", "女"),
    ("巴图·孟克", "男"),
    ("阿卜杜热合曼·阿卜杜克里木江", "男"),
)
_FOREIGN = (("Maria Lindqvist", "女"), ("Tomás O'Brien", "男"), ("Nguyen Thi Hoa", "女"))

_PLACES = (
    "澜溪",
    "青堰",
    "望渠",
    "云泊",
    "石渡",
    "临湾",
    "安澜",
    "泽原",
    "渌口坪",
    "沧浦",
    "禾川",
    "虹桥湾",
    "白汊",
    "松陂",
    "镜湖湾",
    "双闸",
    "柳塘",
    "长圩",
)
_OFFICES = (
    "市水务局",
    "县水利局",
    "水利勘测设计院有限公司",
    "灌区管理处",
    "水库管理所",
    "水文站",
    "水利水电工程有限公司",
    "河道堤防管理处",
    "水土保持监测站",
    "泵站管理所",
)

# Where the unusual names of the first rooms sit, so that a listed sign-in shows one of each.
_COMPOUND_EVERY, _RARE_EVERY, _DOTTED_EVERY, _FOREIGN_EVERY = 61, 97, 173, 601


@dataclass(frozen=True, slots=True)
class Room:
    name: str
    building: str
    number: str
    seats: int
    spares: int


@dataclass(frozen=True, slots=True)
class Person:
    ticket: str
    name: str
    gender: str
    id_kind: str
    id_number: str
    specialty: str
    employer: str
    room: str
    seat: int
    session: int

    @property
    def id_tail(self) -> str:
        """What this person types to sign in."""
        return id_tail(self.id_number)


@dataclass(frozen=True, slots=True)
class Hall:
    rooms: tuple[Room, ...]
    people: tuple[Person, ...]

    def listed(self, count: int = 12) -> tuple[Person, ...]:
        """The sign-ins that are printed: of the running session, never simulated, most of them in the first room."""
        running = [person for person in self.people if person.session == 1]
        first_room = self.rooms[0].name
        near = [person for person in running if person.room == first_room]
        far = [person for person in running if person.room != first_room and person.seat == 1]
        spread = far[: count // 4]
        return tuple(near[: count - len(spread)] + spread)


def hall(candidates: int = CANDIDATES) -> Hall:
    """The whole hall: rooms of 40 with 2 or 3 spare seats and everybody's seat and session.

    A smaller hall (tests) keeps the first rooms; ValueError for less than two full rooms, which is one per session.
    """
    if candidates < 2 * SEATS:
        raise ValueError(f"at least {2 * SEATS} candidates: one full room per session")
    rooms = tuple(_room(index) for index in range(-(-candidates // SEATS)))
    running = round(len(rooms) * FIRST_SESSION_SHARE)
    random = Random(SEED)
    births = _Births()
    people = tuple(
        _person(random, births, index, rooms[index // SEATS], 1 if index // SEATS < running else 2)
        for index in range(candidates)
    )
    return Hall(rooms, people)


def _room(index: int) -> Room:
    """Room ``index`` (from 0). Past the last building, more floors of it."""
    within = index
    for name, sign, count in BUILDINGS:
        if within < count or name == BUILDINGS[-1][0]:
            floor, door = divmod(within, ROOMS_PER_FLOOR)
            spares = 2 + index % 2
            return Room(f"第{index + 1:02d}考室", name, f"{sign}{floor + 1}{door + 1:02d}", SEATS, spares)
        within -= count
    raise AssertionError("the last building takes every room")


def _person(random: Random, births: _Births, index: int, room: Room, session: int) -> Person:
    seat = index % SEATS + 1
    name, gender, kind = _name(random, index)
    number = births.resident_id(random, gender) if kind == RESIDENT else f"PX9900{index:04d}"
    return Person(
        ticket=f"2026{index // SEATS + 1:02d}{seat:02d}",
        name=name,
        gender=gender,
        id_kind=kind,
        id_number=number,
        specialty=random.choice(SPECIALTIES),
        employer=random.choice(_PLACES) + random.choice(_OFFICES),
        room=room.name,
        seat=seat,
        session=session,
    )


def _name(random: Random, index: int) -> tuple[str, str, str]:
    """(name, gender, kind of document) of candidate ``index``."""
    gender = random.choice(("男", "女"))
    surname = random.choice(_SURNAMES)
    ending = random.choice(_GIVEN_MEN if gender == "男" else _GIVEN_WOMEN)
    middle = random.choice(_GIVEN_MIDDLE) if random.random() < 0.7 else ""
    if index % _FOREIGN_EVERY == 20:
        name, gender = _FOREIGN[index // _FOREIGN_EVERY % len(_FOREIGN)]
        return name, gender, "passport"
    if index % _DOTTED_EVERY == 3:
        name, gender = _DOTTED[index // _DOTTED_EVERY % len(_DOTTED)]
        return name, gender, RESIDENT
    if index % _RARE_EVERY == 5:
        return surname + middle + _RARE[index // _RARE_EVERY % len(_RARE)], gender, RESIDENT
    if index % _COMPOUND_EVERY == 1:
        surname = _COMPOUND[index // _COMPOUND_EVERY % len(_COMPOUND)]
    return surname + middle + ending, gender, RESIDENT


class _Births:
    """Resident ID numbers that never repeat: birthdays from 1966 to 1993, a fresh order number for each."""

    _FIRST = date(1966, 1, 1)
    _DAYS = 28 * 365

    def __init__(self) -> None:
        self._given: set[str] = set()

    def resident_id(self, random: Random, gender: str) -> str:
        while True:
            born = self._FIRST + timedelta(days=random.randrange(self._DAYS))
            order = 2 * random.randrange(500) + (gender == "男")
            first17 = f"{REGION}{born:%Y%m%d}{order:03d}"
            if first17 not in self._given:
                self._given.add(first17)
                return first17 + check_digit(first17)
