"""The blueprint: what is accepted, what is refused and where, and shares in the bank's proportions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.blueprint import TYPES, Blueprint, Section, Stratum, parse, proportional
from app.domain.errors import Refused


def spec(**stratum: Any) -> dict[str, Any]:
    whole = {"topic": "机电", "type": "single", "count": 41, "points_milli": 1000} | stratum
    return {"sections": [{"title": "单选题", "strata": [whole]}], "shuffle_options": True}


def test_a_blueprint_reads_what_it_writes() -> None:
    blueprint = Blueprint(
        (
            Section("单选题", (Stratum("机电", "single", 41, 1000), Stratum("水文", "single", 26))),
            Section("判断题", (Stratum(None, "true_false", 10, 500),)),
        ),
        shuffle_options=False,
    )
    assert parse(blueprint.spec()) == blueprint
    assert blueprint.count == 77
    assert parse({"sections": spec()["sections"]}).shuffle_options is True


@pytest.mark.parametrize(
    ("value", "code", "where"),
    [
        ([], "blueprint-malformed", "blueprint"),
        ({}, "blueprint-malformed", "sections"),
        ({"sections": []}, "blueprint-malformed", "sections"),
        (spec() | {"shuffle_options": "yes"}, "blueprint-malformed", "shuffle_options"),
        (spec() | {"shufle_options": False}, "blueprint-malformed", "blueprint.shufle_options"),
        ({"sections": [{"title": " ", "strata": []}]}, "blueprint-malformed", "sections[0].title"),
        ({"sections": [{"title": "单选题", "strata": []}]}, "blueprint-malformed", "sections[0].strata"),
        ({"sections": [{"title": "单选题", "strata": [7]}]}, "blueprint-malformed", "sections[0].strata[0]"),
        (spec(topic=""), "blueprint-malformed", "sections[0].strata[0].topic"),
        (spec(topic=3), "blueprint-malformed", "sections[0].strata[0].topic"),
        (spec(points=1), "blueprint-malformed", "sections[0].strata[0].points"),
        (spec(type="choice"), "blueprint-unknown-type", "sections[0].strata[0].type"),
        (spec(type=None), "blueprint-unknown-type", "sections[0].strata[0].type"),
        (spec(count=0), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(count=-41), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(count=4100), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(count=41.0), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(count=True), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(count="41"), "blueprint-bad-count", "sections[0].strata[0].count"),
        (spec(points_milli=0), "blueprint-bad-points", "sections[0].strata[0].points_milli"),
        (spec(points_milli=0.5), "blueprint-bad-points", "sections[0].strata[0].points_milli"),
    ],
)
def test_a_fault_is_refused_with_its_place(value: object, code: str, where: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.params["where"]) == (code, where)
    assert where in refusal.value.text("zh")
    assert where in refusal.value.text("en")


@pytest.mark.parametrize("topic", ["机电", None])
def test_strata_may_not_overlap(topic: str | None) -> None:
    value = spec()
    value["sections"].append({"title": "再来", "strata": [spec(topic=topic)["sections"][0]["strata"][0]]})
    with pytest.raises(Refused) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.params["where"]) == ("blueprint-overlap", "sections[1].strata[0]")


def test_a_paper_has_an_upper_bound() -> None:
    value = spec(count=1000)
    value["sections"].append({"title": "判断题", "strata": [spec(type="true_false")["sections"][0]["strata"][0]]})
    with pytest.raises(Refused, match="1041"):
        parse(value)


def test_a_hundred_items_of_the_reference_bank() -> None:
    bank = [("机电", "single")] * 172 + [("施工", "single")] * 139 + [("水文", "single")] * 106
    blueprint = proportional(bank, 100, sessions=3)
    assert {stratum.topic: stratum.count for stratum in blueprint.strata} == {"机电": 41, "施工": 33, "水文": 26}
    assert parse(blueprint.spec()) == blueprint


def test_more_than_the_bank_holds_over_all_sessions_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        proportional([("机电", "single")] * 299, 100, sessions=3)
    assert refusal.value.code == "bank-too-small"
    assert proportional([("机电", "single")] * 300, 100, sessions=3).count == 100
    with pytest.raises(Refused, match="whole number"):
        proportional([("机电", "single")], 0)


@given(
    st.lists(st.tuples(st.sampled_from("甲乙丙丁"), st.sampled_from(TYPES)), min_size=1, max_size=200),
    st.integers(1, 4),
    st.data(),
)
@settings(deadline=None)
def test_shares_follow_the_bank_and_never_exceed_it(bank: list[tuple[str, str]], sessions: int, data: Any) -> None:
    sizes = Counter(bank)
    most = sum(size // sessions for size in sizes.values())
    if most == 0:
        return
    count = data.draw(st.integers(1, most))
    blueprint = proportional(bank, count, sessions=sessions)
    assert blueprint.count == count
    for stratum in blueprint.strata:
        size = sizes[str(stratum.topic), stratum.type]
        assert stratum.count * sessions <= size
        assert stratum.count >= size * count // len(bank)
    assert blueprint == proportional(reversed(bank), count, sessions=sessions)
