"""Who sits where after a decision on rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from app.domain.errors import Refused
from app.domain.round_picture import Move, Picture, Seat, Sitter


def seated(
    picture: Picture, sitters: Sequence[Sitter], to: int, going: Collection[int], before: Sequence[Move]
) -> list[Move]:
    """A seat in session ``to`` for each: their own when it is free, else one in the same room, else in the building.

    Spare seats are left for relogs, and a seat that another session gives away at the same time is taken. ``going``
    leave their seats, ``before`` are moves already planned. Refused round-no-seats.
    """
    taken = _taken(picture, to, going, before)
    moves: list[Move] = []
    rest: list[Sitter] = []
    for each in sorted(sitters, key=_by_seat):
        if each.seat.id in taken or each.seat.out_of_order:
            rest.append(each)
        else:
            taken.add(each.seat.id)
            moves.append(Move(each, to, each.seat))
    free = sorted(
        (seat for seat in picture.seats if not (seat.spare or seat.out_of_order or seat.id in taken)),
        key=lambda seat: (seat.room_ordinal, seat.ordinal),
    )
    needs = Counter(each.seat.building for each in rest)
    stock = Counter(seat.building for seat in free)
    if short := {name: need for name, need in needs.items() if need > stock[name]}:
        raise Refused(
            "round-no-seats",
            session=picture.sessions[to].number,
            lines_zh="；".join(f"{name}：需要 {need} 个机位，空闲 {stock[name]} 个" for name, need in short.items()),
            lines_en="; ".join(f"{name}: {need} seats needed, {stock[name]} free" for name, need in short.items()),
        )
    left = _give(rest, free, lambda seat: str(seat.room_id), moves, to)
    _give(left, free, lambda seat: seat.building, moves, to)
    return sorted(moves, key=lambda move: (move.seat.room_ordinal, move.seat.ordinal, move.sitter.ticket))


def _give(
    sitters: Sequence[Sitter], free: list[Seat], where: Callable[[Seat], str], moves: list[Move], to: int
) -> list[Sitter]:
    """Give each the first free seat of their own room or building; who got none. ``free`` loses what is given."""
    left: list[Sitter] = []
    for each in sitters:
        seat = next((seat for seat in free if where(seat) == where(each.seat)), None)
        if seat is None:
            left.append(each)
        else:
            free.remove(seat)
            moves.append(Move(each, to, seat))
    return left


def _taken(picture: Picture, to: int, going: Collection[int], before: Sequence[Move]) -> set[int]:
    target = picture.sessions[to]

    def beside(session_id: int, extra_ms: int) -> bool:
        other = picture.sessions[session_id]
        return target.begins_ms < other.ends_ms(extra_ms) and other.begins_ms < target.ends_ms()

    taken: set[int] = set()
    for each in picture.sitters:
        done = each.attempt is not None and each.attempt.state != "open"
        # An attempt that stays where it was keeps its seat: the record says where they sat.
        if each.session_id == to:
            if each.candidate_id not in going or each.stays_closed:
                taken.add(each.seat.id)
        elif not done and each.candidate_id not in going and beside(each.session_id, each.extra_ms):
            taken.add(each.seat.id)
    return taken | {m.seat.id for m in before if m.to == to or beside(m.to, m.sitter.extra_ms)}


def _by_seat(sitter: Sitter) -> tuple[int, int, str]:
    return (sitter.seat.room_ordinal, sitter.seat.ordinal, sitter.ticket)
