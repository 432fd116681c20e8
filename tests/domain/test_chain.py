"""The chain holds everything it is told to hold, and tells where it was broken."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chain import Fault, Head, Revision, extend, heads, packed, short, verify
from app.domain.responses import Response, Version, canonical, value_hash

ATTEMPT = uuid.UUID("d6a162e4-d51f-42ae-b716-d99842eb1e94")
# Everything a JSON string can carry into PostgreSQL: no NUL, no lone surrogate; astral planes included.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
values = st.none() | texts | st.lists(texts, max_size=3)


def revision(link: int, item: int, rev: int, value: object = "A", **more) -> Revision:
    version = Version(more.pop("epoch", 1_000_001), rev, more.pop("adopt_n", 0), value_hash(value))
    return Revision(link, Response(item, version, value, more.pop("at_ms", 90)), **{"stamp_ms": 100, "seq": 1} | more)


def noted(attempt: uuid.UUID, rows: list[Revision]) -> list[Revision]:
    """The rows with the head each was written after."""
    found = heads(attempt, rows)
    return [replace(row, before=found[row.link - 1]) for row in rows]


def head_of(rows: list[Revision], attempt: uuid.UUID = ATTEMPT) -> Head:
    links = max((row.link for row in rows), default=0)
    return Head(heads(attempt, rows)[links], links, len(rows))


@st.composite
def histories(draw, least: int = 0):
    rows, seen = [], set()
    for link in range(1, draw(st.integers(least, 6)) + 1):
        for _ in range(draw(st.integers(1, 3))):
            key = (draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(values))
            made = revision(
                link, key[0], key[1], key[2], at_ms=draw(st.integers(0, 2**53)), stamp_ms=draw(st.integers(0, 2**53)),
                seq=draw(st.integers(0, 2**53)), late=draw(st.booleans()), epoch=1_000_000 + draw(st.integers(1, 3)),
            )  # fmt: skip
            identity = (made.response.item, made.response.version)
            if identity not in seen:
                seen.add(identity)
                rows.append(made)
        if not rows or rows[-1].link != link:
            rows.append(revision(link, 5, link))
    return noted(ATTEMPT, rows)


def test_the_bytes_are_those_that_are_written_down():
    one = revision(1, 7, 2, "B", at_ms=89_364, stamp_ms=90_177, seq=3, late=True)
    body = (
        (7).to_bytes(8) + (1_000_001).to_bytes(8) + (2).to_bytes(8) + (0).to_bytes(4)
        + hashlib.sha256(b'"B"').digest() + (89_364).to_bytes(8) + (90_177).to_bytes(8) + (3).to_bytes(8) + b"\1"
    )  # fmt: skip
    assert packed(one) == body
    assert len(body) == 85
    first = hashlib.sha256(ATTEMPT.bytes + (1).to_bytes(8) + body).digest()
    assert extend(b"", ATTEMPT, 1, [one]) == first
    two = revision(2, 7, 3, "C")
    assert extend(first, ATTEMPT, 2, [two]) == hashlib.sha256(
        first + ATTEMPT.bytes + (2).to_bytes(8) + packed(two)
    ).digest()  # fmt: skip


def test_a_hash_of_another_length_is_refused():
    odd = replace(revision(1, 1, 1), response=Response(1, Version(1, 1, 0, b"short"), "A"))
    with pytest.raises(ValueError, match="32 bytes"):
        packed(odd)


def test_nothing_recorded_is_a_whole_chain():
    assert verify(ATTEMPT, [], Head(b"", 0, 0)) is None
    assert short(b"") == ""


@given(histories(), st.randoms())
def test_what_was_recorded_verifies_in_whatever_order_it_is_read(rows, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert verify(ATTEMPT, shuffled, head_of(rows)) is None


@given(histories(least=1))
def test_another_attempt_has_another_chain(rows):
    assert verify(uuid.uuid4(), [replace(row, before=None) for row in rows], head_of(rows)) is not None


def changed(row: Revision, part: str) -> Revision:
    response, version = row.response, row.response.version
    match part:
        case "item":
            return replace(row, response=replace(response, item=response.item + 100))
        case "epoch" | "rev" | "adopt_n":
            moved = replace(version, **{part: getattr(version, part) + 1000})
            return replace(row, response=replace(response, version=moved))
        case "value":
            # With its hash, as somebody would who knows how it is made.
            other = ["another", response.value]
            return replace(
                row, response=replace(response, value=other, version=replace(version, hash=value_hash(other)))
            )
        case "at_ms":
            return replace(row, response=replace(response, at_ms=response.at_ms + 1))
        case "late":
            return replace(row, late=not row.late)
    return replace(row, **{part: getattr(row, part) + 1})


PARTS = ["item", "epoch", "rev", "adopt_n", "value", "at_ms", "stamp_ms", "seq", "late"]


@given(histories(least=1), st.sampled_from(PARTS), st.data())
def test_every_part_of_every_revision_is_bound_and_its_link_is_named(rows, part, data):
    head = head_of(rows)
    n = data.draw(st.integers(0, len(rows) - 1))
    rows[n] = changed(rows[n], part)
    assert verify(ATTEMPT, rows, head) == Fault(rows[n].link, "altered")


@given(histories(least=1), st.data())
def test_a_value_that_is_not_what_its_hash_says_is_named(rows, data):
    head = head_of(rows)
    n = data.draw(st.integers(0, len(rows) - 1))
    rows[n] = replace(rows[n], response=replace(rows[n].response, value=["not", rows[n].response.value]))
    assert verify(ATTEMPT, rows, head) == Fault(rows[n].link, "value", rows[n].response.item)


@given(histories(least=1), st.data())
def test_a_row_taken_away_is_noticed_at_its_link(rows, data):
    head = head_of(rows)
    gone = rows.pop(data.draw(st.integers(0, len(rows) - 1)))
    left = any(row.link == gone.link for row in rows)
    assert verify(ATTEMPT, rows, head) == Fault(gone.link, "altered" if left else "missing")


@given(histories(least=1), st.data())
def test_a_row_slipped_in_is_noticed_at_its_link(rows, data):
    head = head_of(rows)
    link = data.draw(st.integers(1, head.links))
    before = data.draw(st.sampled_from([None, heads(ATTEMPT, rows)[link - 1]]))
    rows.append(revision(link, 77, 1, "slipped in", before=before))
    assert verify(ATTEMPT, rows, head) == Fault(link, "altered")


@given(histories(least=2), st.data())
def test_two_links_exchanged_are_noticed_at_the_first(rows, data):
    head = head_of(rows)
    links = st.integers(1, head.links)
    one, two = sorted(data.draw(st.lists(links, min_size=2, max_size=2, unique=True)))
    exchanged = [replace(row, link={one: two, two: one}.get(row.link, row.link)) for row in rows]
    assert verify(ATTEMPT, exchanged, head) == Fault(one, "misplaced")


@given(histories(least=2), st.data())
def test_a_link_taken_out_and_the_rest_renumbered_is_noticed(rows, data):
    head = head_of(rows)
    out = data.draw(st.integers(1, head.links - 1))
    moved = [replace(row, link=row.link - (row.link > out)) for row in rows if row.link != out]
    fault = verify(ATTEMPT, moved, replace(head, links=head.links - 1, count=len(moved)))
    assert fault is not None
    assert fault.link in (out - 1, out)


@given(histories(least=1))
def test_a_tail_cut_off_disagrees_with_the_head_that_was_kept(rows):
    head = head_of(rows)
    cut = [row for row in rows if row.link < head.links]
    assert verify(ATTEMPT, cut, head) == Fault(head.links, "missing")
    # The head cut as well is a whole, shorter chain: the receipt in the candidate's hand is what tells.
    shorter = head_of(cut)
    assert verify(ATTEMPT, cut, shorter) is None
    assert shorter.digest != head.digest


@given(histories(least=1))
def test_links_beyond_the_head_are_noticed(rows):
    head = head_of(rows)
    cut = [row for row in rows if row.link < head.links]
    assert verify(ATTEMPT, rows, head_of(cut)) == Fault(head.links, "beyond")


@given(histories(least=1), st.data())
def test_a_note_that_was_changed_is_told_from_a_chain_that_was(rows, data):
    head = head_of(rows)
    n = data.draw(st.integers(0, len(rows) - 1))
    rows[n] = replace(rows[n], before=b"another head")
    assert verify(ATTEMPT, rows, head) == Fault(rows[n].link, "note")


@given(histories(least=1))
def test_without_notes_a_change_is_noticed_all_the_same(rows):
    head = head_of(rows)
    bare = [replace(row, before=None) for row in rows]
    assert verify(ATTEMPT, bare, head) is None
    assert verify(ATTEMPT, [changed(bare[0], "stamp_ms"), *bare[1:]], head) == Fault(head.links, "altered")


def test_the_head_alone_changed_is_noticed():
    rows = noted(ATTEMPT, [revision(1, 1, 1), revision(2, 1, 2), revision(2, 2, 1)])
    head = head_of(rows)
    assert verify(ATTEMPT, rows, replace(head, digest=b"x" * 32)) == Fault(2, "altered")
    assert verify(ATTEMPT, rows, replace(head, count=2)) == Fault(2, "count")


@given(values)
def test_a_value_is_bound_whatever_it_is_written_in(value):
    assert verify(ATTEMPT, [revision(1, 1, 1, value)], head_of([revision(1, 1, 1, value)])) is None
    assert value_hash(value) == hashlib.sha256(canonical(value)).digest()


def test_the_short_head_is_read_aloud_in_groups():
    assert short(bytes.fromhex("ab12cd34ef567890" + "00" * 24)) == "ab12 cd34 ef56 7890"
    assert short("ab12cd34ef567890" + "00" * 24) == "ab12 cd34 ef56 7890"
