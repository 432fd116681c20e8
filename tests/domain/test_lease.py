"""What a sign-in is given (I5)."""

from __future__ import annotations

import pytest

from app.domain.lease import EPOCHS_PER_LINEAGE, Ask, Held, Move, decide, next_epoch

HELD = Held(5, "pc-1", 10)
MOVE = Move(3, 20)


@pytest.mark.parametrize(
    ("ask", "held", "move", "kind", "seat"),
    [
        (Ask(None, False, None), None, None, "grant", 10),
        (Ask(None, False, 10), None, None, "grant", 10),
        (Ask(None, False, 11), None, None, "wrong_seat", 10),
        (Ask("pc-1", True, None), HELD, None, "resume", 10),
        # The secret without the device, or the device without the secret, is another device.
        (Ask("pc-2", True, None), HELD, None, "held", 10),
        (Ask("pc-1", False, None), HELD, None, "held", 10),
        # The click alone fences nobody: the old device still resumes.
        (Ask("pc-1", True, 10), HELD, MOVE, "resume", 10),
        (Ask("pc-9", False, 20), HELD, MOVE, "grant", 20),
        (Ask(None, False, None), HELD, MOVE, "grant", 20),
        (Ask("pc-9", False, 21), HELD, MOVE, "wrong_seat", 20),
        # Moved before the first sign-in.
        (Ask(None, False, 20), None, MOVE, "grant", 20),
        (Ask(None, False, 10), None, MOVE, "wrong_seat", 20),
    ],
)
def test_every_case_of_a_sign_in(ask, held, move, kind, seat):
    answer = decide(ask, held, move, allocated_seat_id=10)
    assert (answer.kind, answer.seat_id) == (kind, seat)
    assert answer.why
    assert (answer.relog_id == 3) is (kind == "grant" and move is not None)


def test_epochs_of_two_lineages_never_meet():
    first = [next_epoch(1, 0)]
    for _ in range(5):
        first.append(next_epoch(1, first[-1]))
    assert first == sorted(set(first))
    assert next_epoch(2, first[-1]) == 2 * EPOCHS_PER_LINEAGE + 1
    assert next_epoch(2, 2 * EPOCHS_PER_LINEAGE + 7) == 2 * EPOCHS_PER_LINEAGE + 8
