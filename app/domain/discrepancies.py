"""What the record and the candidate may disagree about (信息不符), and how a claimed value is read.

A claim is what the document in the candidate's hand says. It is folded as an import folds it, so that approving it
gives the record what a right roster would have given it; a number that cannot be one is a slip of the fingers at the
door, and is said at once instead of after the exam.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal, get_args

from app.domain.errors import Refused
from app.domain.identity import CHECKED_KINDS, ID_KINDS, fold_id, mask_id, resident_fault

Field = Literal["name", "gender", "id_kind", "id_number", "specialty", "employer", "photo"]
FIELDS: tuple[Field, ...] = get_args(Field)
FIELD_WORDS: Mapping[str, tuple[str, str]] = {
    "name": ("姓名", "name"),
    "gender": ("性别", "gender"),
    "id_kind": ("证件类型", "kind of document"),
    "id_number": ("证件号码", "document number"),
    "specialty": ("专业", "specialty"),
    "employer": ("工作单位", "employer"),
    "photo": ("照片", "photo"),
}
STATE_WORDS: Mapping[str, tuple[str, str]] = {
    "open": ("待核对", "open"),
    "approved": ("已更正", "corrected"),
    "rejected": ("不予更正", "not corrected"),
}
GENDERS = ("男", "女")
SHORTEST_NUMBER = 4


def claim(field: Field, typed: str, *, id_kind: str) -> str:
    """The value as the record would hold it; ``id_kind`` is the kind of document the number is of.

    A photo's claim is its hash and comes from the evidence, not from here. Refused discrepancy-malformed.
    """
    value = fold_id(typed) if field == "id_number" else unicodedata.normalize("NFC", " ".join(typed.split()))
    if not value or not _possible(field, value, id_kind):
        zh, en = FIELD_WORDS[field]
        raise Refused("discrepancy-malformed", field=field, field_zh=zh, field_en=en)
    return value


def _possible(field: Field, value: str, id_kind: str) -> bool:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        return False
    match field:
        case "gender":
            return value in GENDERS
        case "id_kind":
            return value in ID_KINDS
        case "id_number":
            if id_kind in CHECKED_KINDS:
                return resident_fault(value) is None
            return len(value) >= SHORTEST_NUMBER
        case _:
            return True


def shown(field: str, value: str, *, whole: bool) -> str:
    """The value as staff see it: a document's number is whole only for whoever decides on it."""
    return mask_id(value) if field == "id_number" and value and not whole else value


def words(field: str, value: str, *, whole: bool) -> tuple[str, str]:
    """``shown`` in Chinese and English, for people and for paper."""
    if field == "id_kind":
        return ID_KINDS.get(value, (value, value))
    if field == "photo":
        return (f"照片 {value[:12]}", f"photo {value[:12]}") if value else ("无", "none")
    told = shown(field, value, whole=whole)
    return (told, told) if told else ("（空）", "(empty)")
