"""What an import would change in the record, in words: the shape shared by rosters and banks."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["add", "change", "remove"]
Subject = Literal["exam", "room", "session", "candidate", "allocation", "item"]

SUBJECTS: dict[str, tuple[str, str]] = {
    "exam": ("考试", "exam"),
    "room": ("考室", "room"),
    "session": ("场次", "session"),
    "candidate": ("应考人员", "candidate"),
    "allocation": ("编排", "allocation"),
    "item": ("试题", "item"),
}
ACTIONS: dict[str, tuple[str, str]] = {
    "add": ("新增", "add"),
    "change": ("修改", "change"),
    "remove": ("移除", "remove"),
}
FIELDS: dict[str, tuple[str, str]] = {
    "name": ("名称", "name"),
    "building": ("楼宇", "building"),
    "number": ("房间号", "room number"),
    "seats": ("正式机位数", "seats"),
    "spares": ("备用机位数", "spare seats"),
    "ordinal": ("顺序", "order"),
    "start": ("开始时间", "start"),
    "minutes": ("时长（分钟）", "length (min)"),
    "sign_in_opens": ("提前登录（分钟）", "sign-in opens (min)"),
    "last_admission": ("最迟入场（分钟）", "last admission (min)"),
    "earliest_hand_in": ("最早交卷（分钟）", "earliest hand-in (min)"),
    "gender": ("性别", "gender"),
    "id_kind": ("证件类型", "kind of document"),
    "id_number": ("证件号码", "ID number"),
    "specialty": ("报考专业", "specialty"),
    "employer": ("工作单位", "employer"),
    "extra": ("加时（分钟）", "extra minutes"),
    "seat": ("座位", "seat"),
    "type": ("题型", "type"),
    "topic": ("知识点", "topic"),
    "stem": ("题干", "stem"),
    "options": ("选项", "options"),
    "key": ("答案", "answer"),
    "points": ("分值", "points"),
    "media": ("图片", "pictures"),
}
SHOWN = 60


def short(value: object) -> str:
    """A value on one line of a list of changes."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.replace("\n", "⏎")
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``key`` says which (a ticket, a room, an item's number); ID numbers arrive here masked."""

    subject: Subject
    action: Action
    key: str
    field: str = ""
    before: str = ""
    after: str = ""

    def line(self) -> tuple[str, str]:
        """'修改 应考人员 2024…01 工作单位：甲 → 乙' and its English."""
        said = []
        for language in (0, 1):
            name = FIELDS[self.field][language] if self.field else ""
            head = " ".join(filter(None, (ACTIONS[self.action][language], SUBJECTS[self.subject][language], self.key)))
            moved = f"{self.before} → {self.after}" if self.action == "change" else self.after or self.before
            colon = "：" if language == 0 else ": "
            said.append(f"{head} {name}".rstrip() + (f"{colon}{moved}" if moved else ""))
        return said[0], said[1]

    def as_json(self) -> dict[str, str]:
        return {
            "subject": self.subject,
            "action": self.action,
            "key": self.key,
            "field": self.field,
            "before": self.before,
            "after": self.after,
        }


BlockedCode = Literal["signed-in", "drawn", "session-anchored", "session-drawn", "seat-held", "still-used"]

BLOCKED: dict[str, tuple[str, str]] = {
    "signed-in": (
        "{key} 已经登录考试，不能再通过导入修改；请由考务办公室按“信息不符”或换机处理",
        "{key} has signed in and can no longer be changed by an import; use a discrepancy or a relog",
    ),
    "drawn": (
        "{key} 的试卷已经抽好；请先撤销抽题，导入后重新抽题",
        "the paper of {key} has been drawn; undo the draw first, and draw again after the import",
    ),
    "session-anchored": (
        "{key} 已经开考日定时，不能再通过导入修改；改时间请用 holdfast session reschedule",
        "{key} has been opened and can no longer be changed by an import; use holdfast session reschedule for its time",
    ),
    "session-drawn": (
        "{key} 的试卷已经抽好；请先撤销抽题，导入后重新抽题",
        "the papers of {key} have been drawn; undo the draw first, and draw again after the import",
    ),
    "seat-held": (
        "{key} 已临时换到别人使用的机位，新的编排与之冲突",
        "{key} would be given a seat that somebody was moved to",
    ),
    "still-used": (
        "{key} 仍被使用（监考分工、组卷方案或以往的登录记录），不能移除",
        "{key} is still in use (staff, a blueprint or earlier sign-ins) and cannot be removed",
    ),
}


@dataclass(frozen=True, slots=True)
class Blocked:
    """A difference that may not be applied, and why."""

    code: BlockedCode
    key: str

    def line(self) -> tuple[str, str]:
        zh, en = BLOCKED[self.code]
        return zh.format(key=self.key), en.format(key=self.key)

    def as_json(self) -> dict[str, str]:
        zh, en = self.line()
        return {"code": self.code, "key": self.key, "zh": zh, "en": en}


State = Literal["imported", "unchanged", "would-import", "would-change", "changed", "blocked"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, or would do.

    ``digest`` identifies exactly these changes: handing it back as ``expect`` applies them only if they are still
    what would be done.
    """

    state: State
    kind: Literal["roster", "bank"]
    exam_code: str
    exam_name: str
    counts: dict[str, int]
    changes: Sequence[Change] = ()
    blocked: Sequence[Blocked] = ()
    notes: Sequence[tuple[str, str]] = field(default=())

    @property
    def writes(self) -> bool:
        """Whether the record was (or is to be) changed."""
        return self.state in ("imported", "changed")

    @property
    def digest(self) -> str:
        return digest(self.changes)

    def summary(self) -> dict[str, int]:
        """'change candidate' to how many."""
        return dict(Counter(f"{change.action} {change.subject}" for change in self.changes))

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "kind": self.kind,
            "exam": {"code": self.exam_code, "name": self.exam_name},
            "counts": self.counts,
            "summary": self.summary(),
            "changes": [change.as_json() for change in self.changes],
            "blocked": [blocked.as_json() for blocked in self.blocked],
            "notes": [{"zh": zh, "en": en} for zh, en in self.notes],
        }


def digest(changes: Sequence[Change]) -> str:
    """SHA-256 over the changes in order."""
    text = json.dumps([change.as_json() for change in changes], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
