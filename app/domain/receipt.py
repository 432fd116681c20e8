"""What a receipt says of the answers: one short code that anybody can compute again from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from app.domain.responses import Value, canonical


def answers_hash(answers: Mapping[int, Value]) -> str:
    """Twelve hex digits of the SHA-256 over every item's value, in groups of four: short enough to be read aloud."""
    spelled = {str(item): value for item, value in answers.items()}
    digest = hashlib.sha256(canonical(spelled)).hexdigest()[:12]
    return " ".join((digest[0:4], digest[4:8], digest[8:12]))


def is_answered(value: Value) -> bool:
    """Whether ``value`` counts as an answer: not cleared, not empty."""
    return value not in (None, "", [])
