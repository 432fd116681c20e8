from __future__ import annotations

import pytest

from app.domain.checkpoints import RecordAway
from app.services import site_child
from app.settings import Settings


async def test_a_commit_that_the_standby_did_not_confirm_is_no_fault_of_the_program():
    async def unconfirmed(*_):
        raise RecordAway("committed here, not on the standby")

    said = []
    told = {"settings": Settings().model_dump(mode="json"), "database_url": "postgresql://nowhere/x", "asked": {}}
    await site_child._work(unconfirmed, "test", told, said.append)
    assert [list(line) for line in said] == [["undone"]]


async def test_a_fault_of_the_program_is_told_as_one_and_not_as_a_kill():
    line = site_child.order(Settings(), "postgresql://nowhere/x")
    with pytest.raises(RuntimeError, match="ended with 1"):
        await site_child.ask("tests.services.broken_child", line, lambda *_: None)
