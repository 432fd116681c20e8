"""The audit of one attempt on paper: a table an office clerk can read, or one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.commands.attempt_words import KINDS, STATES, TELL, finding
from app.domain.attempt_history import Event, wall
from app.domain.attempt_proof import Proof
from app.domain.attempt_record import Snapshot
from app.domain.chain import short
from app.domain.clock import duration_text
from app.services.attempt_history import Report

COLUMNS = ("时间\ntime", "考试时钟\nexam clock", "事件\nevent", "内容\nwhat", "机位\nseat", "环\nlink")
# An answer that was on its way for longer than this was typed while the PC had no way to send it.
ON_ITS_WAY_MS = 5_000


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON; instants both in service time and, where it is known, on the wall (UTC)."""
    snapshot, proof = report.snapshot, report.proof
    return {
        "ticket": snapshot.ticket,
        "name": snapshot.name,
        "exam": snapshot.exam,
        "session": snapshot.session_number,
        "attempt": str(snapshot.attempt),
        "state": snapshot.standing.state,
        "epoch": snapshot.standing.epoch,
        "acked_seq": snapshot.standing.acked_seq,
        "acked": [list(one) for one in snapshot.standing.acked],
        "events": [
            {"at_ms": one.at_ms, "at": _iso(wall(snapshot.terms, one.at_ms)), "kind": one.kind, **one.facts}
            for one in report.events
        ],
        "chain": {
            "links": proof.links,
            "count": proof.count,
            "head": proof.head,
            "receipt_link": proof.receipt_link,
            "printed_link": proof.printed_link,
            "adopted_since": proof.adopted_since,
            "printed_reopened_ms": proof.printed_reopened_ms,
        },
        "findings": [
            {"code": one.code, "zh": finding(one)[0], "en": finding(one)[1], **one.facts} for one in proof.findings
        ],
        "whole": proof.whole,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


def show(report: Report, console: Console) -> None:
    """Print head, table and verdict."""
    snapshot = report.snapshot
    for line in _head(snapshot):
        console.print(line, markup=False, highlight=False)
    table = Table(title=_day(snapshot, report.events), title_justify="left", highlight=False)
    for heading in COLUMNS:
        # Folded, never cut: this is evidence.
        table.add_column(heading, overflow="fold")
    for event in report.events:
        table.add_row(*map(escape, _row(snapshot, event)))
    console.print(table)
    for line in verdict(report.proof):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _head(snapshot: Snapshot) -> list[str]:
    standing = snapshot.standing
    session = f"第 {snapshot.session_number} 场 session {snapshot.session_number}"
    lines = [
        f"{snapshot.name}  准考证号 ticket {snapshot.ticket}",
        f"{snapshot.exam}  {session}  {STATES[standing.state]}  ({snapshot.attempt})",
    ]
    if standing.acked:
        holes = "、".join(f"{begin}–{end - 1}" for begin, end in standing.holes)
        lines.append(
            f"本次登录已确认的保存序号 checkpoints acknowledged at this sign-in: 1–{standing.acked[-1][1] - 1}"
            + (f"，缺 missing {holes}" if holes else "，无缺 without a hole")
        )
    lines.append(
        "心跳不逐次留存，“无新答案”不等于没有联系。 Heartbeats are not kept one by one: no answer is not no contact."
    )
    return lines


def _day(snapshot: Snapshot, told: Sequence[Event]) -> str:
    at = wall(snapshot.terms, told[0].at_ms) if told else None
    return "" if at is None else f"{at.astimezone(ZoneInfo(snapshot.timezone)):%Y-%m-%d} ({snapshot.timezone})"


def _row(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    clock = event.at_ms - (snapshot.start_ms or 0)
    return (
        _time(snapshot, event.at_ms),
        duration_text(clock) if clock >= 0 else f"−{duration_text(-clock)}",
        KINDS[event.kind],
        TELL[event.kind](event.facts) + _typed(snapshot, event),
        str(event.facts.get("seat") or ""),
        str(event.facts.get("link") or ""),
    )


def _time(snapshot: Snapshot, at_ms: int) -> str:
    at = wall(snapshot.terms, at_ms)
    return "—" if at is None else f"{at.astimezone(ZoneInfo(snapshot.timezone)):%H:%M:%S}"


def _typed(snapshot: Snapshot, event: Event) -> str:
    """When an answer was typed, where that was well before it came."""
    typed_ms = event.facts.get("typed_ms")
    if typed_ms is None or event.kind == "decision":
        return ""
    came_ms = event.facts.get("stamp_ms", event.at_ms)
    return f"，作答于 typed {_time(snapshot, typed_ms)}" if came_ms - typed_ms >= ON_ITS_WAY_MS else ""


def verdict(proof: Proof) -> list[str]:
    """The last lines: whole, or everything that does not hold, in both languages."""
    if not proof.whole:
        lines = [line for one in proof.findings for line in finding(one)]
        return [
            *lines,
            f"记录前后不符：{len(proof.findings)} 处，不能作为凭据。",
            f"The record does not hold together ({len(proof.findings)}): it is no evidence as it stands.",
        ]
    head = short(proof.head) or "—"
    lines = []
    if proof.printed_link is not None:
        lines += [
            f"应考人员所持回执与记录一致（第 {proof.printed_link} 环）。",
            f"The candidate's receipt is the record's, at link {proof.printed_link}.",
        ]
    if proof.printed_reopened_ms is not None:
        lines += [
            "开具这份回执之后，考务办公室恢复了作答，应考人员继续作答，此后另有记录。",
            "Since that receipt the office has reopened the attempt and the candidate went on: more is on record.",
        ]
    if proof.adopted_since:
        lines += [
            f"回执开具后，考务办公室采用了 {proof.adopted_since} 环答案。",
            f"Since the receipt the office has adopted answers: {proof.adopted_since} link(s).",
        ]
    return [
        *lines,
        f"链条完整：{proof.links} 环，{proof.count} 次修改，链条码 {head}。",
        f"The chain is whole: {proof.links} links, {proof.count} revisions, chain code {head}.",
    ]
