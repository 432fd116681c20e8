"""The outbox of a simulated candidate keeps and sends what a browser's would."""

from __future__ import annotations

from failover.client import Outbox


def test_a_revision_is_one_more_than_the_greatest_known_here_and_on_the_server():
    box = Outbox(server={1: 4})
    assert box.put(1, "A", 0).rev == 5
    assert box.put(1, "B", 0).rev == 6
    assert box.put(2, "C", 0).rev == 1


def test_only_durable_takes_an_answer_off_the_queue_and_nothing_takes_it_away():
    box = Outbox()
    box.put(1, "A", 0)
    box.answered(1, 1, "buffered")
    assert [one.item for one in box.waiting()] == [1]
    box.answered(1, 1, "durable")
    assert box.waiting() == []
    assert box.kept[1].value == "A"


def test_an_acknowledgement_of_an_older_revision_leaves_the_newer_one_waiting():
    box = Outbox()
    box.put(1, "A", 0)
    box.put(1, "B", 0)
    box.answered(1, 1, "durable")
    assert [(one.rev, one.value) for one in box.waiting()] == [(2, "B")]


def test_everything_goes_again_when_the_server_came_back_with_less():
    box = Outbox()
    for item in (1, 2):
        box.put(item, "A", 0)
        box.answered(item, 1, "durable")
    assert not box.told("L", 2)
    assert not box.told("L", None)
    assert box.waiting() == []
    assert box.told("L", 1)
    assert [one.item for one in box.waiting()] == [1, 2]


def test_everything_goes_again_on_another_lineage():
    box = Outbox()
    box.told("L", 1)
    box.put(1, "A", 0)
    box.answered(1, 1, "durable")
    assert box.told("M", 1)
    assert [one.item for one in box.waiting()] == [1]
