"""A new lineage, and epochs that are never given twice even where nobody announced one."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from app.domain.errors import Refused
from app.services import lineage
from app.storage.postgres import audit
from tests.checkpoint.stage import staged


async def test_a_new_lineage_has_a_number_of_its_own_and_is_on_the_audit_log(fresh_db):
    first = await lineage.begin_lineage(fresh_db, why="put back", actor="lineage")
    second = await lineage.begin_lineage(fresh_db, why="put back again", actor="lineage")
    async with fresh_db.connect() as conn:
        clock = (await conn.execute(text("SELECT lineage_n, term FROM service_clock"))).one()
        known = await lineage.lineages(conn)
        entries = await audit.entries(conn)
        assert await audit.verify(conn) is None
    # The wall clock's seconds: a second restore of the same copy cannot come to the same number by counting.
    assert first.n > 1_700_000_000
    assert second.n > first.n
    assert first.uid != second.uid
    assert tuple(clock) == (second.n, 2)
    assert [one.reason for one in known[-2:]] == ["put back", "put back again"]
    assert [one["subject"]["lineage"] for one in entries] == [second.n, first.n]


@pytest.mark.parametrize("redis_kept", [True, False])
async def test_a_lost_epoch_is_not_given_to_another_device(fresh_db, fresh_url, redis, redis_url, redis_kept):
    """The record is put back to before the second device's grant, within its lineage; a third one signs in."""
    async with staged(fresh_db, fresh_url, redis_url) as stage:
        first = stage.device()
        await first.sign_in()
        await stage.move()
        second = stage.device()
        stage.at = 2000
        await second.sign_in()
        attempt = stage.person.attempt
        await stage.look.execute("DELETE FROM lease WHERE attempt_id = $1 AND epoch > $2", attempt, first.epoch)
        await stage.look.execute("UPDATE lease SET revoked_ms = NULL WHERE attempt_id = $1", attempt)
        await stage.look.execute(
            "UPDATE attempt SET epoch = $2, grants = $3::text::jsonb WHERE id = $1",
            attempt, first.epoch, json.dumps([[first.epoch, 1000]]),
        )  # fmt: skip
        if not redis_kept:
            await redis.flushdb()
            with pytest.raises(Refused) as lost:
                await second.send({stage.items[0]: "x"})
            assert lost.value.code == "grant-lost"
        await stage.look.execute("UPDATE relog SET state = 'withdrawn', closed_ms = 0 WHERE state <> 'open'")
        await stage.move(spare=1)
        third = stage.device()
        await third.sign_in()
        assert third.epoch > second.epoch
        with pytest.raises(Refused) as refused:
            await second.send({stage.items[0]: "y"})
        assert refused.value.code == "superseded"
