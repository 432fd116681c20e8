"""Merge is a join (I4)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.responses import Register, Response, Version, canonical, merge, value_hash

values = st.sampled_from(["A", "B", None, ["A", "B"]])


@st.composite
def made(draw) -> Response:
    value = draw(values)
    version = Version(draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(0, 1)), value_hash(value))
    return Response(draw(st.integers(1, 3)), version, value)


lists = st.lists(made(), max_size=8)


@given(a=lists, b=lists)
def test_merge_is_commutative(a, b):
    assert merge(merge({}, a), b) == merge(merge({}, b), a)


@given(a=lists, b=lists, c=lists)
def test_merge_is_associative(a, b, c):
    ab = merge(merge({}, a), b)
    bc = merge(merge({}, b), c)
    assert merge(ab, c) == merge(merge({}, a), bc.values())


@given(a=lists)
def test_merge_is_idempotent(a):
    once = merge({}, a)
    assert merge(once, a) == once
    assert merge(once, reversed(a)) == once


@given(a=lists)
def test_per_item_the_greatest_version_stays(a):
    for item, response in merge({}, a).items():
        assert response.version == max(one.version for one in a if one.item == item)


@given(st.tuples(st.integers(1, 2), st.integers(1, 3)), st.tuples(st.integers(1, 2), st.integers(1, 3)))
def test_a_register_keeps_the_greatest_epoch_and_seq(a, b):
    one, two = Register(*a, "x"), Register(*b, "y")
    kept = one.join(two)
    assert (kept.epoch, kept.seq) == max(a, b)


def test_one_byte_form_for_equal_values():
    assert canonical({"b": 1, "a": "中"}) == '{"a":"中","b":1}'.encode()
    assert value_hash(["A"]) != value_hash("A")
