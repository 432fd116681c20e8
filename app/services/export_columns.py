"""The lists that leave the house: which there are, their columns in Chinese and English, and the words in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from app.documents.rows import Column

Kind = Literal["attendance", "answers", "times", "incidents", "corrections"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_WORDS: Mapping[Kind, tuple[str, str]] = {
    "attendance": ("考勤", "attendance"),
    "answers": ("作答记录", "answers"),
    "times": ("考试时间", "times"),
    "incidents": ("突发事件", "incidents"),
    "corrections": ("信息更正", "corrections"),
}
_SESSION = Column("session", "场次", "Session", 14)
_TICKET = Column("ticket", "准考证号", "Ticket", 18)
_NAME = Column("name", "姓名", "Name", 12)
_BUILDING = Column("building", "楼宇", "Building", 10)
_ROOM = Column("room", "考室", "Room", 12)
_SEAT = Column("seat", "机位", "Seat", 7)

COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    "attendance": (
        _SESSION, _TICKET, _NAME,
        Column("gender", "性别", "Gender", 6),
        Column("id_kind", "证件类型", "Document", 16),
        Column("id_number", "证件号码", "Document number", 22),
        Column("specialty", "专业", "Specialty", 16),
        Column("employer", "工作单位", "Employer", 28),
        _BUILDING, _ROOM, _SEAT,
        Column("planned", "编排机位", "Allocated seat", 16),
        Column("attendance", "到考情况", "Attendance", 10),
        Column("checked_in_at", "签到时间", "Checked in", 20),
        Column("checked_in_by", "签到人", "Checked in by", 12),
        Column("signed_in_at", "登录时间", "Signed in", 20),
        Column("absent_at", "确认缺考时间", "Absence confirmed", 20),
        Column("absent_by", "确认人", "Confirmed by", 12),
        Column("late_at", "准许迟到时间", "Admitted late", 20),
        Column("late_by", "准许人", "Admitted by", 12),
        Column("late_reason", "准许原因", "Reason", 20),
        Column("provisional", "信息不符先行入场", "Admitted provisionally", 10),
        Column("relogs", "换机次数", "Moves", 9),
        Column("leaves", "离场次数", "Leaves", 9),
        Column("state", "作答状态", "Attempt", 12),
        Column("ended_at", "结束作答时间", "Ended", 20),
        Column("withdrew_at", "退出时间", "Withdrew", 20),
        Column("withdrew_reason", "退出原因", "Reason given", 20),
        Column("withdrew_by", "退出登记人", "Written down by", 12),
        Column("answered", "已答题数", "Answered", 9),
        Column("items", "试题数", "Items", 9),
    ),
    "answers": (
        _SESSION, _TICKET, _NAME, _ROOM, _SEAT,
        Column("state", "作答状态", "Attempt", 12),
        Column("position", "题序", "Position", 7),
        Column("item", "试题编号", "Item", 12),
        Column("version", "试题版本", "Version", 9),
        Column("type", "题型", "Type", 10),
        Column("points", "分值", "Points", 7),
        Column("answer", "答案", "Answer", 20),
        Column("first_at", "首次保存时间", "First saved", 20),
        Column("answered_at", "作答时间", "Answered at", 20),
        Column("saved_at", "最后保存时间", "Last saved", 20),
        Column("revisions", "保存次数", "Times saved", 9),
        Column("late", "结束后送达", "Came after the end", 10),
    ),
    "times": (
        _SESSION, _TICKET, _NAME, _BUILDING, _ROOM, _SEAT,
        Column("state", "状态", "State", 12),
        Column("starts_at", "开考时间", "Start", 20),
        Column("ends_at", "结束时间", "End", 20),
        Column("lost_s", "调整合计（秒）", "Adjusted in all (s)", 14),
        Column("explain_zh", "时间说明", "Explained (Chinese)", 60),
        Column("explain_en", "时间说明（英文）", "Explained", 60),
    ),
    "incidents": (
        Column("number", "编号", "Number", 7),
        Column("plan", "预案", "Plan", 24),
        Column("title", "事件", "Incident", 24),
        _SESSION,
        Column("scope", "范围", "Scope", 20),
        Column("rooms", "涉及考室", "Rooms", 20),
        Column("people", "涉及人数", "Candidates", 9),
        Column("tickets", "涉及准考证号", "Tickets", 24),
        Column("state", "状态", "State", 10),
        Column("from_at", "开始时间", "From", 20),
        Column("to_at", "结束时间", "To", 20),
        Column("by", "登记人", "Opened by", 12),
        Column("at", "登记时间", "Opened at", 20),
        Column("told_by", "电话报告人", "Told by", 12),
        Column("steps", "预案步骤", "Steps of the plan", 40),
        Column("entries", "处置经过", "What happened", 60),
        Column("actions", "系统操作", "Done in the system", 60),
        Column("files", "证据材料（SHA-256）", "Evidence (SHA-256)", 40),
        Column("signed_by", "签署人", "Signed by", 12),
        Column("signed_at", "签署时间", "Signed at", 20),
        Column("sealed", "保密", "Sealed", 7),
    ),
    "corrections": (
        _SESSION, _TICKET, _NAME, _ROOM, _SEAT,
        Column("field", "项目", "Field", 12),
        Column("recorded", "编排数据", "Recorded", 24),
        Column("claimed", "证件所示", "On the document", 24),
        Column("state", "处理结果", "Decision", 12),
        Column("decided_by", "处理人", "Decided by", 12),
        Column("decided_at", "处理时间", "Decided at", 20),
        Column("note", "说明", "Note", 24),
        Column("identified", "身份确认方式", "How identified", 24),
        Column("by", "登记人", "Written down by", 12),
        Column("at", "登记时间", "At", 20),
        Column("files", "附件", "Files", 24),
    ),
}  # fmt: skip

STANDINGS: Mapping[str, tuple[str, str]] = {
    "present": ("实考", "present"),
    "absent": ("缺考", "absent"),
    "deferred": ("缓考", "deferred"),
    "unaccounted": ("未登记", "not accounted for"),
}
# How an attempt ended, or where it stands.
STATES: Mapping[str, tuple[str, str]] = {
    "scheduled": ("未开始", "not begun"),
    "waiting": ("候考", "waiting"),
    "running": ("作答中", "running"),
    "paused": ("暂停", "paused"),
    "open": ("未结束", "not ended"),
    "ended": ("已结束", "ended"),
    "final": ("已定稿", "final"),
    "hand_in": ("已交卷", "handed in"),
    "time_out": ("到时结束", "timed out"),
    "forced": ("被结束", "ended by staff"),
    "withdrew": ("本人退出", "withdrew"),
    "deferred": ("缓考", "deferred"),
}
ITEM_TYPES: Mapping[str, tuple[str, str]] = {
    "single": ("单选题", "single choice"),
    "multiple": ("多选题", "multiple choice"),
    "true_false": ("判断题", "true or false"),
    "blank": ("填空题", "blanks"),
    "text": ("简答题", "text"),
}
YES_NO: Mapping[bool, tuple[str, str]] = {True: ("是", "yes"), False: ("", "")}
