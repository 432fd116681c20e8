"""The bank: items, their immutable versions, and the pictures they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import item, item_version, media, paper_item

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Item:
    """An item with its newest version. ``drawn``: some version of it is on a paper."""

    id: int
    number: str
    retired: bool
    version: int
    version_id: int
    type: str
    topic: str
    stem: str
    options: list[dict[str, Any]]
    key: Any
    points_milli: int
    media: list[str]
    content_hash: bytes
    drawn: bool

    def __repr__(self) -> str:
        # Neither stem nor answer ever reaches a log (I12).
        return f"<item {self.number} v{self.version}>"


async def newest(conn: AsyncConnection, exam_id: int) -> list[Item]:
    """Every item of the exam with its newest version, retired ones included, in the order they were imported."""
    of_item = item_version.alias("of_item")
    drawn = (
        sa.exists().where(paper_item.c.item_version_id == of_item.c.id, of_item.c.item_id == item.c.id).correlate(item)
    )
    query = (
        sa.select(
            item.c.id,
            item.c.number,
            item.c.retired,
            item_version.c.version,
            item_version.c.id.label("version_id"),
            item_version.c.type,
            item_version.c.topic,
            item_version.c.stem,
            item_version.c.options,
            item_version.c.key,
            item_version.c.points_milli,
            item_version.c.media,
            item_version.c.content_hash,
            drawn.label("drawn"),
        )
        .join(item_version, item_version.c.item_id == item.c.id)
        .where(item.c.exam_id == exam_id)
        .ext(distinct_on(item.c.id))
        .order_by(item.c.id, item_version.c.version.desc())
    )
    return [Item(**row) for row in (await conn.execute(query)).mappings()]


async def add_items(conn: AsyncConnection, exam_id: int, numbers: Sequence[str]) -> dict[str, int]:
    """Insert items; number to id."""
    ids: dict[str, int] = {}
    for at in range(0, len(numbers), CHUNK):
        rows = [{"exam_id": exam_id, "number": number} for number in numbers[at : at + CHUNK]]
        inserted = await conn.execute(sa.insert(item).returning(item.c.number, item.c.id), rows)
        ids.update((number, item_id) for number, item_id in inserted)
    return ids


async def add_versions(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert item versions (item_id, version, type, topic, stem, options, key, points_milli, media, content_hash)."""
    for at in range(0, len(rows), CHUNK):
        await conn.execute(sa.insert(item_version), [dict(row) for row in rows[at : at + CHUNK]])


async def set_retired(conn: AsyncConnection, item_ids: Sequence[int], *, retired: bool) -> None:
    await conn.execute(
        sa.update(item)
        .where(item.c.id == sa.any_(sa.cast(list(item_ids), sa.ARRAY(sa.BigInteger))))
        .values(retired=retired)
    )


async def add_media(conn: AsyncConnection, files: Iterable[tuple[str, str, bytes]]) -> int:
    """Store pictures (sha256, content type, body) that are not there yet; how many were new."""
    added = 0
    for sha256, content_type, body in files:
        result = await conn.execute(
            pg_insert(media)
            .values(sha256=sha256, content_type=content_type, body=body)
            .on_conflict_do_nothing(index_elements=[media.c.sha256])
        )
        added += result.rowcount
    return added
