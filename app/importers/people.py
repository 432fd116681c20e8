"""The columns of a roster that say who somebody is: ticket, name, gender, document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from app.domain.identity import (
    CHECKED_KINDS,
    ID_KINDS,
    RESIDENT,
    TAIL_LENGTH,
    IdFault,
    id_tail,
    resident_fault,
    says_male,
)
from app.importers import normalise
from app.importers.records import Record

MALE, FEMALE = "男", "女"
_GENDERS = {
    **dict.fromkeys((MALE, "男性", "M", "MALE", "先生"), MALE),
    **dict.fromkeys((FEMALE, "女性", "F", "FEMALE", "女士"), FEMALE),
}
_KINDS = {
    **{name: kind for kind, names in ID_KINDS.items() for name in (names[0], names[1].upper(), kind.upper())},
    **dict.fromkeys(("身份证", "二代身份证", "中国居民身份证", "ID"), RESIDENT),
    **dict.fromkeys(("港澳通行证", "港澳居民通行证", "回乡证", "港澳居民来往内地通行证(回乡证)"), "hk_macao"),
    **dict.fromkeys(("台胞证", "台湾居民通行证", "台湾通行证"), "taiwan"),
    **dict.fromkeys(("港澳台居住证", "港澳居民居住证", "台湾居民居住证"), "hmt_residence"),
    **dict.fromkeys(("外国护照", "中国护照", "因私护照"), "passport"),
    **dict.fromkeys(("外国人永久居留证", "外国人居留证"), "foreigner"),
    **dict.fromkeys(("军人证", "士兵证", "警官证", "文职人员证"), "officer"),
    **dict.fromkeys(("其它", "其他证件", "其它证件"), "other"),
}
_TICKET = re.compile(r"[0-9A-Z-]{1,32}")
# Letters, digits and the marks documents carry; an officer's card has Chinese in its number.
_DOCUMENT = re.compile(r"[\w()/·.-]{1,30}")
_ID_CODES: dict[IdFault, str] = {
    "length": "id-length",
    "form": "id-form",
    "date": "id-date",
    "check": "id-check-digit",
}
NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Person:
    """What one row says; None where it is missing or wrong (reported)."""

    ticket: str | None
    name: str | None
    gender: str | None
    id_kind: str | None
    id_number: str | None

    @property
    def identity(self) -> tuple[str | None, str | None, str | None]:
        return self.name, self.id_kind, self.id_number

    @property
    def whole(self) -> bool:
        return None not in (self.ticket, self.name, self.gender, self.id_kind, self.id_number)


def read_person(record: Record, *, on: date | None) -> Person:
    """The person on this row. ``on``: the first day of the exam, by which everybody has been born."""
    kind = _id_kind(record)
    gender = _gender(record)
    return Person(_ticket(record), _name(record), gender, kind, _id_number(record, kind, gender, on))


def _ticket(record: Record) -> str | None:
    ticket = record.text("ticket", normalise.number, required=True, digits=True)
    if ticket is not None and not _TICKET.fullmatch(ticket):
        record.fault("ticket", "bad-ticket")
        return None
    return ticket


def _name(record: Record) -> str | None:
    name = record.text("name", normalise.name, required=True, limit=NAME_LIMIT)
    if name is None:
        return None
    if normalise.is_garbled(name):
        record.fault("name", "garbled")
        return None
    if normalise.has_private_use(name):
        record.fault("name", "private-use", after=name)
    return name


def _gender(record: Record) -> str | None:
    if record.cell("gender").kind == "empty":
        return ""
    text = record.text("gender", normalise.number)
    if text is None:
        return None
    gender = _GENDERS.get(text)
    if gender is None:
        record.fault("gender", "unknown-gender")
    return gender


def _id_kind(record: Record) -> str | None:
    if not record.has("id_kind") or record.cell("id_kind").kind == "empty":
        return RESIDENT
    text = record.text("id_kind", normalise.number)
    if text is None:
        return None
    kind = _KINDS.get(text)
    if kind is None:
        record.fault("id_kind", "unknown-id-kind", known="、".join(names[0] for names in ID_KINDS.values()))
    return kind


def _id_number(record: Record, kind: str | None, gender: str | None, on: date | None) -> str | None:
    number = record.text("id_number", normalise.id_number, required=True, digits=True)
    if number is None or kind is None:
        return None
    code = _wrong(number, kind, on)
    if code is not None:
        record.fault("id_number", code, length=len(number))
        return None
    if kind in CHECKED_KINDS and gender and says_male(number) != (gender == MALE):
        record.fault("gender", "sex-differs")
    return number


def _wrong(number: str, kind: str, on: date | None) -> str | None:
    """The code of what is wrong with the number as one of this kind of document."""
    if kind in CHECKED_KINDS:
        found = resident_fault(number, on=on)
        return None if found is None else _ID_CODES[found]
    if not _DOCUMENT.fullmatch(number):
        return "id-characters"
    return "id-too-short" if len(id_tail(number)) < TAIL_LENGTH else None
