"""Adoption and the order of responses: above what was seen, below whatever else the candidate wrote or will write."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from app.domain import adoption
from app.domain.adoption import adopted, obstacle, tag
from app.domain.lease import next_epoch
from app.domain.responses import Response, Version, merge, value_hash

ITEM = 7
values = st.sampled_from(["A", "B", "C", "D", None])


def own(epoch: int, rev: int, value) -> Response:
    return Response(ITEM, Version(epoch, rev, 0, value_hash(value)), value)


def by_office(seen: Response | None, value) -> Response:
    return Response(ITEM, adopted(None if seen is None else seen.version, value_hash(value)), value)


@dataclass
class Pc:
    """A browser under one grant: it counts by the protocol's rule, ``rev = max(server, local) + 1``."""

    epoch: int
    local: int = 0
    server: int = 0
    unsent: list[Response] = field(default_factory=list)

    def reload(self, accepted: Response | None) -> None:
        self.server = max(self.server, accepted.version.rev if accepted else 0)

    def change(self, value) -> Response:
        self.local = max(self.local, self.server) + 1
        response = own(self.epoch, self.local, value)
        self.unsent.append(response)
        return response


class Hall:
    """One item of one attempt: PCs that were granted epochs, what the record accepted, what it kept aside."""

    def __init__(self) -> None:
        self.state: dict[int, Response] = {}
        self.pcs = [Pc(next_epoch(1, 0))]
        self.kept: list[object] = []
        self.adoptions = 0

    @property
    def accepted(self) -> Response | None:
        return self.state.get(ITEM)

    @property
    def live(self) -> Pc:
        return self.pcs[-1]

    def send(self, pc: Pc) -> None:
        for response in pc.unsent:
            if pc is self.live:
                self.state = merge(self.state, [response])
            else:
                self.kept.append(response.value)
        pc.unsent.clear()

    def relog(self) -> None:
        newcomer = Pc(next_epoch(1, self.live.epoch))
        newcomer.reload(self.accepted)
        self.pcs.append(newcomer)

    def adopt(self, value) -> None:
        before = self.accepted
        mine = by_office(before, value)
        self.state = merge(self.state, [mine])
        assert self.accepted == mine, "what the office adopts over what it saw counts"
        self.adoptions += 1


@given(st.data())
def test_the_candidates_own_next_change_always_beats_an_adopted_one(data):
    """Whatever came before, on however many PCs, reloaded or not, online or not."""
    hall = Hall()
    for _ in range(data.draw(st.integers(0, 25))):
        step = data.draw(st.sampled_from(["change", "send", "relog", "adopt", "reload", "old-change"]))
        pc = data.draw(st.sampled_from(hall.pcs))
        if step == "change":
            hall.live.change(data.draw(values))
        elif step == "old-change":
            pc.change(data.draw(values))
        elif step == "send":
            hall.send(pc)
        elif step == "relog":
            hall.relog()
        elif step == "reload":
            hall.live.reload(hall.accepted)
        else:
            hall.adopt(data.draw(st.sampled_from(hall.kept)) if hall.kept else data.draw(values))
    if data.draw(st.booleans()):
        hall.adopt(data.draw(values))
    unsent = len(hall.live.unsent)
    last = hall.live.change(data.draw(values))
    if data.draw(st.booleans()):
        # Decided between the key press and its arrival.
        hall.adopt(data.draw(values))
    hall.send(hall.live)
    assert hall.accepted == last, (unsent, hall.adoptions)
    # And it stays, whatever is repeated.
    assert merge(hall.state, [last, by_office(None, "B")])[ITEM] == last


def _place(version: Version) -> tuple[int, int]:
    return version.epoch, version.rev


responses = st.builds(own, st.integers(1, 4), st.integers(1, 6), values)


@given(st.lists(responses, max_size=6), st.lists(responses, max_size=6), values, st.randoms())
def test_a_decision_and_answers_under_way_commute(seen_from, under_way, value, shuffle):
    """What was still on its way when the office decided ends the same, before or after the decision."""
    seen = merge({}, seen_from).get(ITEM)
    decision = by_office(seen, value)
    everything = [*seen_from, decision, *under_way]
    end = merge({}, everything)
    shuffle.shuffle(everything)
    assert merge({}, everything) == end
    newer = [one for one in under_way if seen is None or _place(one.version) > _place(seen.version)]
    if newer:
        assert end[ITEM] == max(newer, key=lambda one: one.version)
        # The comparison refuses it then, if the answer comes first.
        arrived = merge({}, [*seen_from, *under_way])[ITEM]
        assert obstacle("kept", tag(seen and seen.version), arrived.version) == "moved-on"


@given(st.none() | responses, values, values)
def test_an_adopted_value_may_itself_be_adopted_over(seen, first, second):
    one = by_office(seen, first)
    two = by_office(one, second)
    assert two.version > one.version
    assert (two.version.epoch, two.version.rev) == (one.version.epoch, one.version.rev)
    assert two.version.adopt_n == one.version.adopt_n + 1


@given(st.integers(1, 3), st.integers(0, 5), values, values)
def test_over_nothing_it_stands_below_every_device(lineage, grants, value, typed):
    epoch = 0
    for _ in range(grants + 1):
        epoch = next_epoch(lineage, epoch)
    decision = by_office(None, value)
    assert decision.version > adoption.NOTHING
    assert merge({}, [own(epoch, 1, typed), decision])[ITEM].value == typed


@given(st.none() | responses, responses)
def test_a_tag_tells_versions_apart(one, two):
    version = one and one.version
    assert (tag(version) == tag(two.version)) == (version == two.version)


def test_obstacles():
    seen = own(1_000_001, 3, "A").version
    later = own(1_000_001, 4, "A").version
    assert obstacle("kept", tag(seen), seen) is None
    assert obstacle("kept", None, None) is None
    assert obstacle("kept", tag(seen), later) == "moved-on"
    assert obstacle("kept", tag(seen), adopted(seen, value_hash("A"))) == "moved-on"
    assert obstacle("kept", None, seen) == "moved-on"
    assert obstacle("kept", tag(seen), None) == "moved-on"
    assert obstacle("adopted", tag(seen), seen) == "decided"
    assert obstacle("dismissed", tag(seen), seen) == "decided"
