"""What keeps a room, a seat, a session or a candidate from going, in words: whoever is refused knows no tables."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError

# SQLSTATE of a row that is still referred to.
FOREIGN_KEY = "23503"
# By the table whose rows refer to it.
USED_BY: Mapping[str, tuple[str, str]] = {
    "adjustment": ("时间调整记录", "adjustments of time"),
    "admission": ("准许入场记录", "admissions"),
    "allocation": ("应考人员编排", "allocations"),
    "announcement": ("通知", "announcements"),
    "announcement_room": ("通知", "announcements"),
    "attempt": ("作答", "attempts"),
    "blueprint": ("组卷方案", "a blueprint"),
    "candidate_photo": ("照片", "photos"),
    "decision": ("考务决定", "decisions"),
    "discrepancy": ("信息不符记录", "discrepancies"),
    "draw": ("抽题记录", "draws"),
    "duty_change": ("监考值班变动", "changes of duty"),
    "incident": ("突发事件记录", "incidents"),
    "incident_candidate": ("突发事件记录", "incidents"),
    "incident_room": ("突发事件记录", "incidents"),
    "item_report": ("试题异议", "reported items"),
    "lease": ("登录记录", "sign-ins"),
    "misconduct": ("违纪记录", "records of misconduct"),
    "notice": ("发给应考人员的提示", "notices to candidates"),
    "proposal": ("时间建议", "proposals"),
    "relog": ("换机记录", "moves"),
    "roll_call": ("点名记录", "roll calls"),
    "room_record": ("考场情况记录单", "the room's record"),
    "seat": ("机位", "seats"),
    "spare_request": ("备用机位请求", "requests for spare seats"),
    "staff_room": ("监考分工", "staff assignments"),
}


def used_by(fault: IntegrityError) -> dict[str, str] | None:
    """``{what_zh, what_en}`` of a refusal; None for a fault of another kind."""
    if getattr(fault.orig, "sqlstate", None) != FOREIGN_KEY:
        return None
    cause = getattr(fault.orig, "__cause__", None)
    table = str(getattr(cause, "table_name", None) or getattr(cause, "constraint_name", None) or "?")
    zh, en = USED_BY.get(table, (table, table))
    return {"what_zh": zh, "what_en": en}
