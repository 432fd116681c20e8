"""The hash chain of an attempt: what it binds, how it is verified, and what it cannot show.

Every transaction that records at least one revision of an attempt adds one *link*. The head after link ``n`` is

    head(0) = b""
    head(n) = sha256(head(n - 1) || attempt || n || revision || revision || …)

with ``attempt`` as the 16 bytes of its id, ``n`` as int8, and each revision in 85 bytes, big-endian, no separators:

    item int8 · epoch int8 · rev int8 · adopt_n int4 · value_hash 32 bytes · at_ms int8 · stamp_ms int8 · seq int8
    · late 1 byte

The revisions of a link stand in the order of ``(item, epoch, rev, adopt_n, value_hash)``. That is the primary key of
the history within an attempt, so the order is total and can be made again from the rows alone. Every part has a fixed
width, so no two different links have the same bytes. The value itself is bound by ``value_hash``, the SHA-256 of its
canonical JSON (``responses.canonical``), which is looked at again from the stored value.

Why each part is in it: without ``attempt`` two candidates' histories could be exchanged whole; without ``n`` a link
could be renumbered; without ``stamp_ms``, ``seq`` and ``late`` it would only say that an answer came, not *when*.

The head lies in the attempt's locked row and, at the end, in the receipt. Besides that each row of the history notes
the head it was written after (``before``). The notes prove nothing more than the head does; they tell *where* a chain
is broken that does not lead to its head.

What a chain without a key cannot show: that somebody who may write to the whole database took off the newest links and
the head with them. That is what the receipt is for: its head is in the candidate's hand.
"""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.domain.responses import Response, value_hash

Why = Literal["value", "altered", "misplaced", "missing", "beyond", "note", "count"]

_BEFORE_HASH = struct.Struct(">qqqi")
_AFTER_HASH = struct.Struct(">qqq?")
_LINK = struct.Struct(">q")
SHORT_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Revision:
    """One row of the history. ``before`` is the head it was written after, None where that was not noted."""

    link: int
    response: Response
    stamp_ms: int
    seq: int
    late: bool = False
    before: bytes | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What the attempt's row, or a receipt, says of the chain. ``digest`` is empty before the first link."""

    digest: bytes
    links: int
    count: int


@dataclass(frozen=True, slots=True)
class Fault:
    """The first link that does not hold, and why; ``item`` where one revision is known to be the culprit.

    - value: a stored value is not the one its hash was made of
    - altered: the link does not lead to the head that was noted after it: one of its revisions was changed, added or
      taken away
    - misplaced: the link was written after another head than the one it stands behind
    - missing: there is no such link, though the head counts it
    - beyond: the head counts fewer links
    - note: the link holds, only the note of the head before it was changed
    - count: all links hold, only the number of revisions beside the head was changed
    """

    link: int
    why: Why
    item: int | None = None


def packed(revision: Revision) -> bytes:
    """The 85 bytes of one revision."""
    response, version = revision.response, revision.response.version
    if len(version.hash) != hashlib.sha256().digest_size:
        raise ValueError(f"a value's hash has 32 bytes, not {len(version.hash)}")
    return (
        _BEFORE_HASH.pack(response.item, version.epoch, version.rev, version.adopt_n)
        + version.hash
        + _AFTER_HASH.pack(response.at_ms, revision.stamp_ms, revision.seq, revision.late)
    )


def extend(head: bytes, attempt: UUID, link: int, revisions: Iterable[Revision]) -> bytes:
    """The head after ``link``, which holds ``revisions`` in any order."""
    ordered = sorted(revisions, key=lambda one: (one.response.item, one.response.version))
    body = b"".join(packed(revision) for revision in ordered)
    return hashlib.sha256(head + attempt.bytes + _LINK.pack(link) + body).digest()


def heads(attempt: UUID, revisions: Iterable[Revision]) -> dict[int, bytes]:
    """The head after each link, by link number, as the revisions give it; 0 is the empty one."""
    found = {0: b""}
    head = b""
    for link, rows in sorted(_by_link(revisions).items()):
        head = found[link] = extend(head, attempt, link, rows)
    return found


def verify(attempt: UUID, revisions: Sequence[Revision], head: Head) -> Fault | None:
    """The first link that does not hold, or None when the revisions lead to ``head`` and to nothing else.

    1. Every value is looked at again: what is not what its hash says is named with its item.
    2. The links 1 … n must all be there, and none beyond.
    3. The head that comes out of them must be ``head``. If it is not, the notes tell the first link that broke:
       where link k notes another head than the one that comes out of the links before it, either k - 1 was altered or
       k does not belong there; it does not when the head that comes out is noted by another link.
    """
    by_link = _by_link(revisions)
    for link, rows in sorted(by_link.items()):
        for row in sorted(rows, key=lambda one: (one.response.item, one.response.version)):
            if row.response.version.hash != value_hash(row.response.value):
                return Fault(link, "value", row.response.item)
    computed = heads(attempt, revisions)
    last = max(by_link, default=0)
    whole = last == head.links == len(by_link) and computed[last] == head.digest
    noted = {row.before for row in revisions if row.before is not None}
    before = b""
    for link in range(1, max(last, head.links) + 1):
        if link not in by_link:
            return Fault(link, "missing")
        if link > head.links:
            return Fault(link, "beyond")
        notes = {row.before for row in by_link[link] if row.before is not None}
        if notes - {before}:
            return _broken_at(link, notes, before, whole=whole, elsewhere=before in noted - notes)
        before = computed[link]
    if not whole:
        return Fault(head.links, "altered")
    return Fault(head.links, "count") if len(revisions) != head.count else None


def _broken_at(link: int, notes: set[bytes], before: bytes, *, whole: bool, elsewhere: bool) -> Fault:
    if whole:
        return Fault(link, "note")
    if before in notes:
        # Some of its revisions were written here and some were not.
        return Fault(link, "altered")
    if elsewhere or link == 1:
        return Fault(link, "misplaced")
    return Fault(link - 1, "altered")


def short(digest: bytes | str) -> str:
    """The first 16 hex digits in groups of four, to be read aloud: ``ab12 cd34 ef56 7890``; empty for no chain."""
    text = digest if isinstance(digest, str) else digest.hex()
    return " ".join(text[n : n + 4] for n in range(0, min(len(text), SHORT_DIGITS), 4))


def _by_link(revisions: Iterable[Revision]) -> dict[int, list[Revision]]:
    grouped: dict[int, list[Revision]] = defaultdict(list)
    for revision in revisions:
        grouped[revision.link].append(revision)
    return dict(grouped)
