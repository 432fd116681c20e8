"""A name that was mistyped, told with the names it is near to: on a bad day nobody looks them up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from app.domain.errors import Refused

NEAR = 3
# As many as a sentence can hold, when none is near.
LISTED = 10
LIKE = 0.5


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Refused scope-unknown when any of the names is not known, with the near ones of each."""
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        more = "…" if len(unknown) > LISTED else ""
        raise Refused("scope-unknown", names="、".join(_told(name, known) for name in unknown[:LISTED]) + more)


def _told(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=NEAR, cutoff=LIKE)
    if near:
        return f"{name}（相近 near：{'、'.join(near)}）"
    there = sorted(known)
    more = "…" if len(there) > LISTED else ""
    return f"{name}（现有 there are：{'、'.join(there[:LISTED])}{more}）" if there else name
