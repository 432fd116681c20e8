"""The office's decisions that no clock can mend: swap two rounds, move people to another one, defer them (缓考).

A picture of the exam goes in, a plan comes out: who sits which session at which seat, whose attempt is closed as
deferred, and who needs an attempt of their own in the new session. Nothing is half done: what cannot be planned for
everybody is refused with the numbers. An attempt that never began goes along with its candidate; one that began stays
where it was, closed, with everything in it.

Instants here are wall time in milliseconds, as the sessions now stand: they only say what would overlap.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.domain.errors import Refused
from app.domain.round_picture import Move, Picture, Plan, Sitter
from app.domain.round_seats import seated

NAMED = 5

# --- the four decisions


def swap(picture: Picture, first: int, second: int) -> Plan:
    """Everybody of either session sits the other one. Neither may have begun."""
    _refuse_same(picture, first, second)
    for session_id in (first, second):
        _refuse_begun(picture, session_id)
    here, there = ([each for each in picture.of(one) if not each.deferred] for one in (first, second))
    if not here and not there:
        raise Refused("round-nobody")
    _refuse_both(picture, here, second)
    _refuse_both(picture, there, first)
    _refuse_unfit([*here, *there])
    _refuse_overlaps(picture, here, second, leaving=(first,))
    _refuse_overlaps(picture, there, first, leaving=(second,))
    going = frozenset(each.candidate_id for each in (*here, *there))
    moves = seated(picture, here, second, going, ())
    moves += seated(picture, there, first, going, moves)
    _refuse_held(picture, moves, [each for each in (*here, *there) if each.attempt is not None and each.attempt.held])
    closes = tuple(each for each in (*here, *there) if each.stays_closed)
    return Plan("swap", first, second, tuple(moves), closes)


def move(picture: Picture, session: int, to: int, who: Collection[int]) -> Plan:
    """The candidates ``who`` (ids) of ``session`` sit session ``to`` instead. Attempts that run must be
    paused first."""
    _refuse_same(picture, session, to)
    _refuse_begun(picture, to)
    chosen = _chosen(picture, session, who)
    if deferred := [each for each in chosen if each.deferred]:
        raise Refused("round-already-deferred", **_people(deferred))
    _refuse_both(picture, chosen, to)
    _refuse_unfit(chosen)
    _refuse_overlaps(picture, chosen, to, leaving=(session,))
    going = frozenset(each.candidate_id for each in chosen)
    moves = seated(picture, chosen, to, going, ())
    _refuse_held(picture, moves)
    return Plan("move", session, to, tuple(moves), tuple(each for each in chosen if each.stays_closed))


def defer(picture: Picture, session: int, who: Collection[int]) -> Plan:
    """The attempts of ``who`` in ``session`` are closed as deferred, running or not."""
    chosen = _chosen(picture, session, who)
    if deferred := [each for each in chosen if each.deferred]:
        raise Refused("round-already-deferred", **_people(deferred))
    if over := [each for each in chosen if each.attempt is not None and each.attempt.state == "over"]:
        raise Refused("round-over", **_people(over))
    if any(each.attempt is None for each in chosen):
        # What is closed is an attempt: without one there is nothing to keep, and moving is the word for it.
        raise Refused("not-drawn", session=picture.sessions[session].number)
    return Plan("defer", session, None, (), tuple(chosen))


def allocate(picture: Picture, session: int, to: int, who: Collection[int]) -> Plan:
    """Those deferred from ``session`` sit session ``to``."""
    _refuse_same(picture, session, to)
    _refuse_begun(picture, to)
    chosen = _chosen(picture, session, who)
    if others := [each for each in chosen if not each.deferred]:
        raise Refused("round-not-deferred", **_people(others))
    if gone_on := [each for each in chosen if each.gone_on]:
        raise Refused("round-gone-on", **_people(gone_on))
    _refuse_both(picture, chosen, to)
    _refuse_overlaps(picture, chosen, to, leaving=(session,))
    moves = seated(picture, chosen, to, frozenset(each.candidate_id for each in chosen), ())
    _refuse_held(picture, moves)
    return Plan("allocate", session, to, tuple(moves), ())


# --- what is refused


def _people(sitters: Sequence[Sitter]) -> dict[str, object]:
    """Parameters of a refusal that is about people: how many, and the first of them."""
    names = "、".join(f"{each.name}（{each.ticket}）" for each in sitters[:NAMED])
    return {"count": len(sitters), "who": names + ("……" if len(sitters) > NAMED else "")}


def _chosen(picture: Picture, session: int, who: Collection[int]) -> list[Sitter]:
    chosen = [each for each in picture.of(session) if each.candidate_id in who]
    if not chosen:
        raise Refused("round-nobody")
    return chosen


def _refuse_same(picture: Picture, first: int, second: int) -> None:
    if first == second:
        raise Refused("round-same-session", session=picture.sessions[first].number)


def _refuse_begun(picture: Picture, session: int) -> None:
    if picture.sessions[session].begun:
        raise Refused("round-begun", session=picture.sessions[session].number)


def _refuse_both(picture: Picture, sitters: Sequence[Sitter], to: int) -> None:
    there = {each.candidate_id for each in picture.of(to)}
    if both := [each for each in sitters if each.candidate_id in there]:
        raise Refused("round-both", session=picture.sessions[to].number, **_people(both))


def _refuse_unfit(sitters: Sequence[Sitter]) -> None:
    """Nobody is taken away from a clock that runs, and who has finished has sat."""
    attempts = [(each, each.attempt) for each in sitters if each.attempt is not None]
    if over := [each for each, attempt in attempts if attempt.state == "over"]:
        raise Refused("round-over", **_people(over))
    if running := [each for each, attempt in attempts if attempt.runs]:
        raise Refused("round-runs", **_people(running))


def _refuse_held(picture: Picture, moves: Sequence[Move], held: Sequence[Sitter] = ()) -> None:
    """An entry of the ledger is about those it was made for, in one session: who comes to a place that is paused would
    run there, and in a swap who goes (``held``) would leave behind what still stands. What stands in a session that
    somebody is only taken out of stays there with its cause."""
    places: dict[int, dict[int, str]] = {}
    for each in moves:
        if each.seat.room_id in picture.held.get(each.to, frozenset()):
            places.setdefault(each.to, {})[each.seat.room_ordinal] = each.seat.room
    for one in held:
        places.setdefault(one.session_id, {})[one.seat.room_ordinal] = one.seat.room
    for session_id, rooms in sorted(places.items()):
        names = [name for _, name in sorted(rooms.items())]
        more = "……" if len(names) > NAMED else ""
        number = picture.sessions[session_id].number
        raise Refused("round-paused", session=number, count=len(names), rooms="、".join(names[:NAMED]) + more)


def _refuse_overlaps(picture: Picture, sitters: Sequence[Sitter], to: int, *, leaving: Collection[int]) -> None:
    """Nobody sits two sessions at once; extra time counts, what is over or deferred does not."""
    target = picture.sessions[to]
    who = {each.candidate_id for each in sitters}
    clashes: dict[int, list[Sitter]] = {}
    for each in picture.sitters:
        done = each.attempt is not None and each.attempt.state != "open"
        if each.candidate_id not in who or each.session_id in (to, *leaving) or done:
            continue
        other = picture.sessions[each.session_id]
        if target.begins_ms < other.ends_ms(each.extra_ms) and other.begins_ms < target.ends_ms(each.extra_ms):
            clashes.setdefault(other.id, []).append(each)
    for session_id, people in sorted(clashes.items()):
        other = picture.sessions[session_id]
        raise Refused("round-overlaps", session=target.number, other=other.number, **_people(people))
