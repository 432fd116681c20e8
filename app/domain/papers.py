"""The draw (抽题): every candidate's own paper from the bank, the same one for the same seed and inputs.

Nothing here depends on database ids or on the order in which inputs arrive: items are known by their number, candidates
by their ticket, and both are sorted first. ``draw`` promises, and ``paper_rules.verify`` checks on its own:

- each paper fits the blueprint; no item twice on it, and none the candidate had in another session;
- within a stratum the exposure of items differs by at most 1 over the session's candidates;
- two neighbours never have the same item at the same position.

What cannot be drawn under these rules is refused with the numbers; no rule is ever bent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass

from app.domain import placement, selection
from app.domain.blueprint import TITLES, Blueprint, Stratum
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Entry, Item, Paper, Shortage, pairs_of, shortages
from app.domain.seeded import shuffled, stream

REHEARSALS = 20

Progress = Callable[[str, int, int], None]


def _quiet(_stage: str, _done: int, _total: int) -> None:
    return None


def draw(
    blueprint: Blueprint,
    items: Iterable[Item],
    candidates: Iterable[Candidate],
    seed: str,
    *,
    label: str = "",
    columns: int | None = None,
    progress: Progress = _quiet,
) -> list[Paper]:
    """One paper per candidate, in seat order.

    ``label`` (the session's number) keeps the sessions of an exam drawn with one seed independent of each other;
    ``columns`` is how many seats stand in a row, for the neighbours in front and behind. ``progress`` hears
    ``(stage, done, total)``.

    Refused with ``bank-too-small``, ``uneven-points``, ``draw-uneven`` or ``neighbours-alike``.
    """
    bank = sorted(items, key=lambda item: item.number)
    hall = sorted(candidates, key=lambda candidate: (candidate.place, candidate.ticket))
    check_bank(blueprint, bank, hall)
    if not hall:
        return []
    beside = pairs_of(hall, columns)
    index = {item.number: i for i, item in enumerate(bank)}
    had = [frozenset(index[number] for number in candidate.drawn if number in index) for candidate in hall]

    papers: list[list[list[int]]] = [[] for _ in hall]
    owner = [-1] * len(bank)
    done, total = 0, len(blueprint.strata)
    for section in blueprint.sections:
        for paper in papers:
            paper.append([])
        for stratum in section.strata:
            pool = [i for i, item in enumerate(bank) if stratum.holds(item.topic, item.type)]
            for i in pool:
                owner[i] = done
            drawn = _select(stratum, pool, _Hall(hall, had, beside, (seed, label)))
            for paper, chosen in zip(papers, drawn, strict=True):
                paper[-1] += chosen
            done += 1
            progress("select", done, total)

    rows, clashes = placement.place(papers, owner, had, beside, stream(seed, label, "place"))
    if clashes:
        seats = {hall[candidate].ticket for candidate, _ in clashes}
        positions = sorted({position + 1 for _, position in clashes})
        raise Refused("neighbours-alike", candidates=len(seats), positions=", ".join(map(str, positions)))
    progress("place", len(hall), len(hall))
    return with_orders(blueprint, bank, hall, rows, (seed, label))


@dataclass(frozen=True, slots=True)
class _Hall:
    """Everyone a session is drawn for, in seat order, with what they had and who sits beside them, by index."""

    candidates: Sequence[Candidate]
    had: Sequence[frozenset[int]]
    beside: Sequence[Sequence[int]]
    seed: tuple[str, str]


def _select(stratum: Stratum, pool: list[int], hall: _Hall) -> list[list[int]]:
    """The stratum's items of each candidate.

    Later sessions draw from what this one leaves, so they are rehearsed: a choice after which the rehearsal finds no
    even sharing is made again. Only near the limit of the bank does that ever happen.
    """
    plans = [candidate.plan for candidate in hall.candidates]
    local = {i: n for n, i in enumerate(pool)}
    taken = [frozenset(local[i] for i in items if i in local) for items in hall.had]
    for rehearsal in range(REHEARSALS):
        chance = stream(*hall.seed, "select", stratum.topic or "", stratum.type, str(rehearsal))
        try:
            # First without the later sessions: if even this fails no other try can succeed (selection, step 3).
            chosen = selection.select(len(pool), stratum.count, selection.Hall(taken, plans, hall.beside), chance)
        except selection.Uneven as fault:
            raise _uneven(stratum, len(pool), len(taken), fault) from None
        after = [before | frozenset(now) for before, now in zip(taken, chosen, strict=True)]
        try:
            _rehearse(stratum, len(pool), hall.candidates, after, chance)
        except selection.Uneven as fault:
            last = fault
            continue
        return [[pool[n] for n in sorted(numbers)] for numbers in chosen]
    raise _uneven(stratum, len(pool), len(taken), last)


def _rehearse(
    stratum: Stratum,
    size: int,
    candidates: Sequence[Candidate],
    had: list[frozenset[int]],
    chance: Callable[[], float],
) -> None:
    """Select the later sessions' items of the same stratum; raises Uneven where that fails."""
    plans = [candidate.plan for candidate in candidates]
    for session, blueprint in sorted(_plans(candidates).items()):
        same = [s for s in blueprint.strata if (s.topic, s.type) == (stratum.topic, stratum.type)]
        if not same:
            continue
        sitters = [c for c, plan in enumerate(plans) if session in plan]
        rest = [tuple(number for number in plans[c] if number > session) for c in sitters]
        hall = selection.Hall([had[c] for c in sitters], rest, [()] * len(sitters))
        drawn = selection.select(size, same[0].count, hall, chance)
        for c, numbers in zip(sitters, drawn, strict=True):
            had[c] |= frozenset(numbers)


def _plans(candidates: Sequence[Candidate]) -> dict[int, Blueprint]:
    """The blueprint of every session still to be drawn for any of them."""
    return {number: blueprint for later in {c.later for c in candidates} for number, blueprint in later}


def with_orders(
    blueprint: Blueprint,
    bank: Sequence[Item],
    hall: Sequence[Candidate],
    rows: Sequence[Sequence[int]],
    seed: tuple[str, str],
) -> list[Paper]:
    """The papers of ``hall`` with these rows of items (indices of ``bank``) by position, options shuffled."""
    chance = stream(*seed, "options")
    points = [
        blueprint.strata[s].points_milli or item.points_milli
        if (s := blueprint.stratum_of(item.topic, item.type)) is not None
        else item.points_milli
        for item in bank
    ]
    papers: list[Paper] = []
    for candidate, row in zip(hall, rows, strict=True):
        entries: list[Entry] = []
        for i in row:
            item = bank[i]
            order = item.options
            if blueprint.shuffle_options and item.loose > 1:
                order = "".join(shuffled(order[: item.loose], chance)) + order[item.loose :]
            entries.append(Entry(item.number, order, points[i]))
        papers.append(Paper(candidate.ticket, tuple(entries)))
    return papers


def digest(papers: Iterable[Paper]) -> bytes:
    """SHA-256 of what the papers hold, the same on every machine (no database id is in it)."""
    sha = hashlib.sha256()
    for paper in sorted(papers, key=lambda paper: paper.ticket):
        entries = " ".join(f"{entry.number}:{entry.order}:{entry.points_milli}" for entry in paper.entries)
        sha.update(f"{paper.ticket} {entries}\n".encode())
    return sha.digest()


def inputs_digest(
    blueprint: Blueprint, items: Iterable[Item], candidates: Iterable[Candidate], columns: int | None
) -> bytes:
    """SHA-256 of everything ``draw`` looks at besides seed and label: equal digests and seeds mean equal papers."""
    sha = hashlib.sha256()

    def add(*parts: object) -> None:
        sha.update(json.dumps(parts, ensure_ascii=False).encode() + b"\n")

    add(blueprint.spec(), columns)
    for item in sorted(items, key=lambda item: item.number):
        add(*astuple(item))
    for candidate in sorted(candidates, key=lambda candidate: candidate.ticket):
        add(candidate.ticket, candidate.place, sorted(candidate.drawn))
        for number, later in candidate.later:
            add(number, later.spec())
    return sha.digest()


# --- refusals


def check_bank(blueprint: Blueprint, bank: Sequence[Item], hall: Sequence[Candidate]) -> None:
    """Refused with ``bank-too-small`` or ``uneven-points`` where no paper could be drawn for somebody."""
    _refuse_short(blueprint, bank, hall)
    _refuse_uneven_points(blueprint, bank)


def _refuse_short(blueprint: Blueprint, bank: Sequence[Item], hall: Sequence[Candidate]) -> None:
    if not (found := shortages(blueprint, bank, hall)):
        return
    raise Refused(
        "bank-too-small",
        lines_zh="；".join(map(_zh, found)),
        lines_en="; ".join(map(_en, found)),
        shortages=[
            {
                "topic": short.topic,
                "type": short.type,
                "this_session": short.count,
                "already_drawn": short.drawn,
                "later_sessions": short.later,
                "needed": short.needed,
                "available": short.available,
                "candidates": short.candidates,
            }
            for short in found
        ],
    )


def _zh(short: Shortage) -> str:
    return (
        f"{short.topic or '全部知识点'}·{TITLES[short.type]}：本场 {short.count} 题 + 其他场次已抽 {short.drawn} 题"
        f" + 其他场次待抽 {short.later} 题 = 需要 {short.needed} 题，题库只有 {short.available} 题"
        f"（涉及 {short.candidates} 人）"
    )


def _en(short: Shortage) -> str:
    return (
        f"{short.topic or 'any topic'}, {short.type}: {short.count} for this session + {short.drawn} already drawn"
        f" in others + {short.later} for sessions to come = {short.needed} needed, {short.available} in the bank"
        f" ({short.candidates} candidates)"
    )


def _refuse_uneven_points(blueprint: Blueprint, bank: Sequence[Item]) -> None:
    """Papers whose totals differ by the luck of the draw are no exam."""
    for stratum in blueprint.strata:
        points = {item.points_milli for item in bank if stratum.holds(item.topic, item.type)}
        if stratum.points_milli is None and len(points) > 1:
            spelled = ", ".join(f"{each / 1000:g}" for each in sorted(points))
            raise Refused("uneven-points", topic=stratum.topic or "*", type=stratum.type, points=spelled)


def _uneven(stratum: Stratum, size: int, candidates: int, fault: selection.Uneven) -> Refused:
    return Refused(
        "draw-uneven",
        topic=stratum.topic or "*",
        type=stratum.type,
        count=stratum.count,
        available=size,
        candidates=candidates,
        items=len(fault.items),
        least=fault.least,
        most=fault.least + 1,
    )
