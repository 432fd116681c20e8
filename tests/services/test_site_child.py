from __future__ import annotations

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
