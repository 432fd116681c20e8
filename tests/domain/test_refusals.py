from __future__ import annotations

from app.domain.errors import MESSAGES
from app.domain.refusals import AREAS


def test_a_code_stands_in_one_area():
    # Of two, the later area's words would silently be those of both.
    assert sum(map(len, AREAS)) == len(MESSAGES)
