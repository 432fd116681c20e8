"""What the office adopted, told to the hot copies after the commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from app.domain.responses import canonical
from app.storage.redis.client import Keys, Store, script


async def follow(store: Store, keys: Keys, rows: Iterable[Mapping[str, Any]]) -> int:
    """Bring ``rows`` (accepted responses as ``checkpoint.adoption.accepted_now`` reads them, by attempt) into the hot
    copies; how many were news there. Raises RedisAway; the next resume then reads the record all the same."""
    merge = store.client.register_script(script("adopted"))
    pipeline = store.client.pipeline(transaction=False)
    for attempt, group in groupby(rows, key=lambda row: row["attempt_id"]):
        together = list(group)
        arguments: list[Any] = [together[0]["count"]]
        for row in together:
            packed = f'{{"v":{canonical(row["value"]).decode()},"a":{row["at_ms"]},"s":{row["stamp_ms"]}}}'
            arguments += [
                row["item_id"], row["epoch"], row["rev"], row["adopt_n"], bytes(row["value_hash"]).hex(), packed,
            ]  # fmt: skip
        await merge(keys=[keys.hot(attempt)], args=arguments, client=pipeline)
    return sum(await store.call(pipeline.execute(raise_on_error=True)))
