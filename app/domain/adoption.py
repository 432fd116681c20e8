"""Adoption (I5): the office lets a response that was kept aside count after all.

An adopted response takes the place directly above what the office saw: the same epoch and revision, ``adopt_n`` one
greater. In the order of ``domain.responses`` that place has two properties, and they are the whole rule:

1. It is above what was seen, so it counts.
2. It is below everything else the candidate has written or will write. Their next change under the epoch they hold
   has a greater revision (``rev = max(server, local) + 1``, and a revision seen under that epoch came from that very
   browser), one after a move has a greater epoch. Whether their page has been loaded again since does not matter.

Where nothing was accepted the place is directly above nothing: epoch 0, which no device ever holds (and revision 1, the
least that a page which reads it may send back). An answer that was promised and is still under way in the buffer then
wins as well, exactly as it would have done had it arrived before the office looked. So the order in which a decision
and a late answer arrive never matters (I4).
"""

from __future__ import annotations

from typing import Literal

from app.domain.responses import Version

Verdict = Literal["adopted", "dismissed"]
Obstacle = Literal["decided", "moved-on"]

NOTHING = Version(0, 1, 0, b"")


def adopted(seen: Version | None, value_hash: bytes) -> Version:
    """The version of a value adopted over ``seen`` (None: no response was accepted)."""
    below = NOTHING if seen is None else seen
    return Version(below.epoch, below.rev, below.adopt_n + 1, value_hash)


def tag(version: Version | None) -> str | None:
    """A version as a word that staff's pages carry to and fro: what was seen, for the comparison at the decision."""
    if version is None:
        return None
    return f"{version.epoch}.{version.rev}.{version.adopt_n}.{version.hash.hex()}"


def obstacle(state: str, seen: str | None, accepted: Version | None) -> Obstacle | None:
    """Why a decision on a stranded response in ``state`` cannot be taken; None when it can.

    ``decided``: somebody has decided on it already. ``moved-on``: the accepted response is not the one that was seen,
    so whoever decided did not know what they would replace, or keep.
    """
    if state != "kept":
        return "decided"
    if seen != tag(accepted):
        return "moved-on"
    return None
