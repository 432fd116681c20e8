"""Whether an attempt's clock has ever run, against a look at every single millisecond."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.clock import Entry, Ledger, has_run

instants = st.integers(0, 12)


@given(
    start=instants,
    now=instants,
    pauses=st.lists(st.tuples(instants, st.none() | instants), max_size=3),
    given_back=st.lists(st.tuples(instants, instants), max_size=2),
)
@example(start=5, now=9, pauses=[(2, None)], given_back=[])
@example(start=5, now=9, pauses=[(2, 7), (7, None)], given_back=[])
@example(start=5, now=9, pauses=[(6, None)], given_back=[(5, 6)])
def test_it_has_run_where_some_instant_since_the_start_was_not_paused(start, now, pauses, given_back):
    entries, held = [], set()
    for number, (begins, ends) in enumerate(pauses):
        pause = Entry(10 * number + 1, "pause", from_ms=begins)
        entries.append(pause)
        if ends is not None:
            entries.append(Entry(10 * number + 2, "resume", to_ms=ends, refers_id=pause.id))
        held |= set(range(begins, now if ends is None else ends))
    for number, (begins, ends) in enumerate(given_back, 100):
        entries.append(Entry(number, "credit", from_ms=begins, to_ms=max(begins, ends)))
    ledger = Ledger(start, 100, tuple(entries))
    assert has_run(ledger, now) == any(instant not in held for instant in range(start, now))


def test_nothing_has_run_of_a_session_that_is_not_anchored():
    assert not has_run(Ledger(None, 100), 50)
