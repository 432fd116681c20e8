"""What a decision on rounds is told as: its effect before it is confirmed, and the notice to the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.round_picture import Move, Sitter
from app.services.round_papers import Papers
from app.services.round_snapshot import Known
from app.services.time_words import counted

# People named one by one; of the others the count is told.
NAMED = 20


def effect(known: Known, papers: Papers) -> dict[str, Any]:
    """``{rooms, candidates, people: [first ones], sessions, seats: {kept, changed}, changed: [first ones],
    closed, papers: {kept, new, later}, zh, en}``."""
    plan = known.plan
    sitters = sorted(plan.sitters, key=lambda each: (each.seat.room_ordinal, each.seat.ordinal, each.ticket))
    by_person = {(move.sitter.candidate_id, move.sitter.session_id): move for move in plan.moves}
    changed = [move for move in plan.moves if not move.kept_seat]
    zh, en = _sentences(known, papers, changed)
    return {
        "rooms": len({each.seat.room_id for each in sitters}),
        "candidates": len(sitters),
        "people": [
            _person(known, each, by_person.get((each.candidate_id, each.session_id))) for each in sitters[:NAMED]
        ],
        "sessions": [
            {"id": each, "number": known.sessions[each]["number"], "starts": _starts(known, each)}
            for each in plan.sessions
        ],
        "seats": {"kept": len(plan.moves) - len(changed), "changed": len(changed)},
        "changed": [_person(known, move.sitter, move) for move in changed[:NAMED]],
        "closed": len(plan.closes),
        "papers": {"kept": len(papers.kept), "new": papers.new, "later": len(papers.later)},
        "zh": zh,
        "en": en,
    }


def _person(known: Known, sitter: Sitter, move: Move | None) -> dict[str, Any]:
    told = {
        "ticket": sitter.ticket,
        "name": sitter.name,
        "session": known.sessions[sitter.session_id]["number"],
        "room": sitter.seat.room,
        "seat": sitter.seat.label,
    }
    if move is not None:
        told |= {
            "to_session": known.sessions[move.to]["number"],
            "to_room": move.seat.room,
            "to_seat": move.seat.label,
        }
    return told


def _starts(known: Known, session: int) -> str:
    return known.begins[session].astimezone(ZoneInfo(known.exam["timezone"])).isoformat(timespec="seconds")


def _sentences(known: Known, papers: Papers, changed: Sequence[Move]) -> tuple[str, str]:
    plan = known.plan
    number = known.sessions[plan.session]["number"]
    if plan.kind == "defer":
        seen = sum(each.attempt is not None and each.attempt.seen for each in plan.closes)
        count, rooms = len(plan.closes), len({each.seat.room_id for each in plan.closes})
        zh = f"第 {number} 场 {rooms} 个考室、{count} 人作缓考处理，其中 {seen} 人已开始作答；已作答内容全部保留。"
        to_be = "is" if count == 1 else "are"
        en = f"{_people_in(count, rooms)} of session {number} {to_be} deferred; {_have(seen)} begun"
        return zh, f"{en}, and all they answered is kept."
    other = plan.other or plan.session
    if plan.kind == "swap":
        counts = Counter(move.to for move in plan.moves)
        zh = (
            f"第 {number} 场与第 {known.sessions[other]['number']} 场对调：{counts[other]} 人改到第 "
            f"{known.sessions[other]['number']} 场，{counts[plan.session]} 人改到第 {number} 场"
        )
        en = (
            f"Sessions {number} and {known.sessions[other]['number']} are exchanged: to session "
            f"{known.sessions[other]['number']}: {counted(counts[other], 'candidate')}, to session {number}: "
            f"{counts[plan.session]}"
        )
    else:
        rooms = len({move.sitter.seat.room_id for move in plan.moves})
        to = known.sessions[other]["number"]
        at = known.begins[other].astimezone(ZoneInfo(known.exam["timezone"]))
        zh = f"{rooms} 个考室、{len(plan.moves)} 人由第 {number} 场改到第 {to} 场（{at:%m月%d日 %H:%M}）"
        go = "goes" if len(plan.moves) == 1 else "go"
        en = f"{_people_in(len(plan.moves), rooms)} {go} from session {number} to {to} ({at:%Y-%m-%d %H:%M})"
    zh += f"；{len(changed)} 人换机位；{papers.new} 份新试卷"
    en += f"; {len(changed)} at another seat; {counted(papers.new, 'new paper')}"
    if plan.closes and plan.moves:
        zh += f"；{len(plan.closes)} 人已看过试题，原作答按缓考保留"
        en += f"; {_have(len(plan.closes))} seen their paper, and what they answered is kept as deferred"
    return zh + "。", en + "."


def _people_in(count: int, rooms: int) -> str:
    return f"{counted(count, 'candidate')} in {counted(rooms, 'room')}"


def _have(count: int) -> str:
    return f"{count} has" if count == 1 else f"{count} have"


def notice(known: Known, target: int | None) -> tuple[str, str]:
    """What the page says to those who go to ``target`` (None: deferred)."""
    if target is None:
        return (
            "您的本场考试已由考务办公室作缓考处理，已作答的内容全部保留。请听从监考人员安排。",
            "The exam office has deferred your exam. Everything you answered is kept. Please follow the staff.",
        )
    number = known.sessions[target]["number"]
    at = known.begins[target].astimezone(ZoneInfo(known.exam["timezone"]))
    return (
        f"您的考试已由考务办公室调整到第 {number} 场（{at:%m月%d日 %H:%M} 开始）。请听从监考人员安排。",
        f"The exam office has moved you to session {number} (starts {at:%Y-%m-%d %H:%M}). Please follow the staff.",
    )
