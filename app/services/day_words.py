"""The words of the room's record and of the day's report, and their tables, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from app.documents.model import Block, Heading, Language, Paragraph, Table
from app.domain import audit_words
from app.domain.adjustments import reason_words
from app.domain.wall_time import WallTime
from app.services.incident_links import KINDS
from app.services.incident_words import STATES as INCIDENT_STATES
from app.services.time_words import length_words

WORDS: Mapping[str, tuple[str, str]] = {
    "record": ("考场情况记录单", "Room record"), "report": ("考试情况汇总", "Report of the day"),
    "room": ("考室", "Room"), "building": ("楼宇", "Building"), "session": ("场次", "Session"),
    "began": ("开考时间", "Began"), "duty": ("监考人员", "On duty"), "remarks": ("备注", "Remarks"),
    "expected": ("应考", "Expected"), "present": ("实考", "Present"), "absent": ("缺考", "Absent"),
    "deferred": ("缓考", "Deferred"), "late": ("迟到", "Late"), "handed_in": ("交卷", "Handed in"),
    "timed_out": ("到时", "Timed out"), "forced": ("被结束", "Ended by staff"), "open": ("未定稿", "Not final"),
    "withdrew": ("本人退出", "Withdrew"), "withdrawn": ("本人退出人员", "Withdrew"),
    "numbers": ("人数", "Numbers"), "people": ("{n} 人", "{n}"),
    "all": ("合计", "In all"),
    "ticket": ("准考证号", "Ticket"), "name": ("姓名", "Name"), "seat": ("机位", "Seat"), "at": ("时间", "At"),
    "reason": ("原因", "Reason"), "by": ("经办人", "By"), "note": ("说明", "Note"), "count": ("人数", "Candidates"),
    "absentees": ("缺考人员", "Absent"), "put_off": ("缓考人员", "Deferred"), "admitted": ("迟到入场", "Admitted late"),
    "moved": ("调换机位", "Seats changed"), "from": ("原机位", "From"), "to": ("现机位", "To"),
    "relogs": ("换机登录", "Moves to another PC"), "state": ("状态", "State"),
    "relog_open": ("待登录", "not signed in yet"), "relog_used": ("已登录", "signed in"),
    "relog_withdrawn": ("已撤回", "withdrawn"),
    "times": ("时间调整", "Changes of time"), "kind": ("种类", "Kind"), "length": ("时长", "Length"),
    "scope": ("范围", "Scope"), "undone": ("（已撤销）", " (undone)"), "replaced": ("（已更正）", " (replaced)"),
    "itself": ("系统计入的时间", "Credited by the service"), "entries": ("次数", "Entries"),
    "incidents": ("突发事件", "Incidents"), "number": ("编号", "No."), "what": ("事件", "What"),
    "discrepancies": ("信息不符", "Discrepancies"), "field": ("项目", "Field"), "decision": ("处理结果", "Decision"),
    "misconduct": ("违纪登记人数", "Candidates with a record of misconduct"),
    "misconduct_own": ("违纪登记人数（本人登记）", "Candidates with a record of misconduct (one's own)"),
    "leaves": ("离场", "Leaves"), "left": ("离场时间", "Left"), "back": ("返回时间", "Back"),
    "toilet": ("如厕", "toilet"), "medical": ("就医", "medical"), "other": ("其他", "other"),
    "not_back": ("未返回", "not back"),
    "broken": ("故障机位", "Seats out of order"), "repaired": ("（已修复）", " (repaired)"),
    "signing": ("签署", "Signing off"), "absent_confirmed": ("缺考确认", "Absentees confirmed"),
    "signed": ("考室签署", "Room signed off"), "released": ("考室放行", "Room released"),
    "signed_numbers": ("签署时人数", "Numbers as signed"), "nobody": ("未办理", "not yet"),
    "as_signed": ("（签署时 {n}）", " ({n} as signed)"),
    "roll_calls": ("点名", "Roll calls"), "called": ("应到", "Called"), "found": ("在场", "There"),
    "lacking": ("不在场", "Not there"), "uncalled": ("未点", "Not called"), "closed": ("结束时间", "Ended"),
    "p_changed": ("签署后人数有变的考室", "rooms whose numbers are others than were signed"),
    "telephone": ("电话代办", "Done by telephone"), "told_by": ("电话报告人", "Told by"),
    "entered": ("录入人", "Entered by"),
    "sign_room": ("监考人员签字", "Invigilator"), "sign_chief": ("主考签字", "Chief"),
    "sign_office": ("考务办公室签字", "Exam office"),
    "printed": ("打印时间 {at}", "Printed {at}"), "none": ("无", "None"), "begins": ("开始", "From"),
    "ends": ("结束", "To"),
    "duty_changes": ("监考变动", "Changes of duty"), "joined": ("到岗", "Joined"), "went": ("离岗", "Left"),
    "rooms": ("各考室", "Rooms"), "room_count": ("考室数", "Rooms"), "site": ("全考点", "The whole site"),
    "decisions": ("处置决定", "Decisions"),
    "text": ("内容", "Text"), "proposed": ("提出", "Proposed"), "approved": ("批准", "Approved"),
    "lift-cap": ("放宽上限", "limit lifted"), "swap": ("对调", "rounds exchanged"), "move": ("调场", "moved"),
    "extend": ("延长", "extended"), "defer": ("缓考", "deferred"),
    "d_proposed": ("待批准", "proposed"), "d_approved": ("已批准", "approved"), "d_withdrawn": ("已撤回", "withdrawn"),
    "credited": ("补时最多", "Most adjusted"), "with_time": ("有时间调整的人数", "With a change of time"),
    "pending": ("尚未办结", "Not yet settled"), "item": ("事项", "What"), "n": ("数量", "Number"),
    "p_attempts": ("已登录而未定稿的作答", "attempts that are not final"),
    "p_stranded": ("搁置待处置的答案", "answers kept aside"), "p_notices": ("尚未送达的通知", "notices not shown"),
    "p_relogs": ("未完成的换机登录", "moves not completed"), "p_leaves": ("离场未返回", "leaves without a return"),
    "p_proposals": ("待处置的时间建议", "proposals on time"), "p_signed": ("未签署的考室", "rooms not signed off"),
    "p_released": ("未放行的考室", "rooms not released"), "p_incidents": ("未关闭的突发事件", "incidents not closed"),
    "p_fields": ("待核对的信息更正", "corrections not decided"),
    "nothing_pending": ("全部办结。", "Everything is settled."),
}  # fmt: skip


class Teller:
    """Words of one language, and instants as the exam's wall time."""

    def __init__(self, language: Language, wall: WallTime, zone: str) -> None:
        self.language: Language = language
        self.at = 0 if language == "zh" else 1
        self._wall, self._zone = wall, ZoneInfo(zone)

    def __call__(self, key: str, **values: object) -> str:
        return WORDS[key][self.at].format(**values)

    def one(self, words: tuple[str, str]) -> str:
        return words[self.at]

    def hour(self, ms: int | None) -> str:
        return "" if ms is None else f"{self._wall.at(ms).astimezone(self._zone):%H:%M:%S}"

    def today(self) -> str:
        """What people's watches say, to the minute."""
        return f"{datetime.now(UTC).astimezone(self._zone):%Y-%m-%d %H:%M}"

    def moment(self, ms: int | None) -> str:
        return "" if ms is None else f"{self._wall.at(ms).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"

    def length(self, ms: int) -> str:
        return self.one(length_words(ms))

    def since_signed(self, n: int, signed: int | None) -> str:
        """What is to stand behind a number that is another than was signed."""
        return self("as_signed", n=signed) if signed is not None and signed != n else ""

    def table(
        self, heading: str, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
    ) -> list[Block]:
        """Under its heading with the number of lines; nothing at all when there are none."""
        return self.titled(heading, [self(key) for key in head], rows, widths)

    def titled(
        self, heading: str, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
    ) -> list[Block]:
        """``table`` with headings that are no keys."""
        return [Heading(f"{self(heading)} ({len(rows)})"), Table(head, rows, widths)] if rows else []

    # --- tables that the record and the report share

    def times(self, rows: Sequence[RowMapping]) -> list[Block]:
        undone = {row["refers_id"] for row in rows if row["kind"] == "undo"}
        replaced = {row["supersedes_id"] for row in rows}
        lines = []
        for row in rows:
            gone = self("undone") if row["id"] in undone else self("replaced") if row["id"] in replaced else ""
            incident = f" #{row['incident']}" if row["incident"] else ""
            lines.append(
                [
                    self.hour(row["made_ms"]), self.one(KINDS[row["kind"]]) + gone, self._length(row),
                    self._scope(row), str(row["people"]),
                    self.one(reason_words(row["reason"])) + incident, row["note"], row["by"] or "",
                ]
            )  # fmt: skip
        head = ("at", "kind", "length", "scope", "count", "reason", "note", "by")
        return self.table("times", head, lines, (4, 4, 4, 6, 3, 5, 6, 4))

    def _scope(self, row: RowMapping) -> str:
        # A list names people, and the paper of one room none of another's.
        names = row["scope_names"] if row["tickets"] is None else row["tickets"]
        return "、".join(names[:NAMES]) + ("…" if len(names) > NAMES else "") or self("site")

    def _length(self, row: RowMapping) -> str:
        if row["amount_ms"] is not None:
            return self.length(row["amount_ms"])
        if row["kind"] == "credit":
            length = self.length(row["to_ms"] - row["from_ms"])
            return f"{length}\n{self.hour(row['from_ms'])}–{self.hour(row['to_ms'])}"
        return self.hour(row["from_ms"] if row["kind"] == "pause" else row["to_ms"])

    def by_itself(self, rows: Sequence[RowMapping]) -> list[Block]:
        lines = [
            [
                self.one(KINDS[row["kind"]]), self.one(reason_words(row["reason"])), str(row["people"]),
                str(row["entries"]), self.length(row["ms"]),
            ]
            for row in rows
        ]  # fmt: skip
        return self.table("itself", ("kind", "reason", "count", "entries", "length"), lines, (3, 4, 2, 2, 3))

    def telephone(self, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
        """What was done on somebody's word: the audit log's entries."""
        lines = []
        for row in rows:
            subject = row["subject"]
            what = f"{self.one(audit_words.words(row['action']))} {subject.get('seat') or ''}".rstrip()
            who = subject.get("ticket") or ""
            lines.append(
                [
                    self.hour(row["service_ms"]), subject["told_by"], what, subject.get("room") or "", who,
                    row["name"] or row["actor"],
                ]
            )  # fmt: skip
        return self.table(
            "telephone", ("at", "told_by", "item", "room", "ticket", "entered"), lines, (3, 5, 6, 4, 5, 4)
        )

    def relogs(self, rows: Sequence[RowMapping]) -> list[Block]:
        lines = [
            [
                self.hour(row["opened_ms"]), row["name"], row["ticket"], f"{row['from_room']} {row['from_seat']}",
                f"{row['to_room']} {row['to_seat']}", self.one(RELOG_REASONS.get(row["reason"], (row["reason"],) * 2)),
                self(f"relog_{row['state']}"), row["by"],
            ]
            for row in rows
        ]  # fmt: skip
        head = ("at", "name", "ticket", "from", "to", "reason", "state", "by")
        return self.table("relogs", head, lines, (4, 4, 6, 5, 5, 4, 4, 4))

    def incidents(self, told: Sequence[Mapping[str, Any]]) -> list[Block]:
        lines = [
            [
                f"#{one['number']}", f"{one['plan']} {one[f'plan_{self.language}']}",
                "" if one["title"] == one["plan_zh"] else one["title"], "、".join(one["names"][:8]) or self("site"),
                self.hour(one["from_ms"]), self.hour(one["to_ms"]), self.one(INCIDENT_STATES[one["state"]]), one["by"],
            ]
            for one in told
        ]  # fmt: skip
        head = [self(key) for key in ("number", "kind", "what", "scope", "begins", "ends", "state", "by")]
        table = self.titled("incidents", head, lines, (2, 6, 5, 5, 4, 4, 4, 4))
        return table or [Heading(self("incidents")), Paragraph(self("none"))]


# As many rooms or tickets are told of a scope.
NAMES = 8
RELOG_REASONS: Mapping[str, tuple[str, str]] = {
    "pc_failed": ("电脑故障", "PC failed"),
    "power": ("断电", "power cut"),
    "network": ("网络故障", "network failure"),
    "peripheral": ("外设故障", "keyboard, mouse or screen"),
    "other": ("其他", "other"),
}
