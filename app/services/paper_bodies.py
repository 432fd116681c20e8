"""The bytes a browser gets as its paper: made once when the paper is drawn, sent as they lie (``GET /attempt/paper``).

Every part of an item that is the same for all who drew it is encoded once; a paper is then only a joining of parts.
What leaves the bank here is stem, options and pictures; an item's key is never read.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from app.domain.blueprint import Blueprint
from app.domain.paper_rules import Paper

MEDIA = "/api/v1/attempt/media/"

# gzip's own container around zlib's stream; zlib writes no time and no name into it, so equal papers are equal bytes.
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


class Body(NamedTuple):
    """``gzip`` holds the compressed JSON, ``etag`` names the JSON within it."""

    gzip: bytes
    etag: str


class Bodies:
    """Makes bodies of papers drawn by ``blueprint`` from ``bank`` (item number → row of ``draw_inputs.bank``)."""

    def __init__(self, blueprint: Blueprint, bank: Mapping[str, Mapping[str, Any]]) -> None:
        self._sections: list[tuple[bytes, int]] = [
            (b'{"title":' + orjson.dumps(section.title) + b',"items":[', section.count)
            for section in blueprint.sections
        ]
        self._parts = {number: _Parts(row) for number, row in bank.items()}

    def make(self, paper: Paper) -> Body:
        """The body of one paper; its items stand in the order of their positions."""
        sections = self._encode(paper)
        etag = hashlib.sha256(sections).hexdigest()[:32]
        return Body(compress(b'{"paper":"' + etag.encode() + b'","sections":' + sections + b"}"), etag)

    def _encode(self, paper: Paper) -> bytes:
        sections: list[bytes] = []
        entries = iter(paper.entries)
        position = 0
        for head, count in self._sections:
            items: list[bytes] = []
            for _ in range(count):
                entry = next(entries)
                position += 1
                items.append(self._parts[entry.number].item(position, entry.points_milli, entry.order))
            sections.append(head + b",".join(items) + b"]}")
        return b"[" + b",".join(sections) + b"]"


class _Parts:
    """One item, encoded up to what differs from paper to paper."""

    __slots__ = ("_head", "_options", "_tail")

    def __init__(self, row: Mapping[str, Any]) -> None:
        pictures = [MEDIA + sha256 for sha256 in row["media"]]
        self._head = b'{"item":%d,"type":%s,"stem":%s,"media":%s,' % (
            row["version_id"],
            orjson.dumps(row["type"]),
            orjson.dumps(row["stem"]),
            orjson.dumps(pictures),
        )
        self._options = {option["id"]: orjson.dumps(_shown(option)) for option in row["options"]}
        self._tail = b"]}" if row["type"] != "blank" else b'],"blanks":%d}' % max(1, row["blanks"])

    def item(self, position: int, points_milli: int, order: str) -> bytes:
        options = b",".join([self._options[option] for option in order])
        points = orjson.dumps(points_milli / 1000)
        return b'%s"position":%d,"points":%s,"options":[%s%s' % (self._head, position, points, options, self._tail)


def _shown(option: Mapping[str, Any]) -> dict[str, str | None]:
    media = option.get("media")
    return {"id": option["id"], "text": option["text"], "media": MEDIA + media if media else None}


def compress(body: bytes) -> bytes:
    """``body`` as gzip."""
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return squeeze.compress(body) + squeeze.flush()


def read(body: bytes) -> dict[str, Any]:
    """The JSON in a stored body. Raises ``zlib.error`` or ``orjson.JSONDecodeError`` when it is damaged."""
    return dict(orjson.loads(zlib.decompress(body, _GZIP)))


def faults(body: dict[str, Any], etag: str, blueprint: Blueprint, rows: Iterable[tuple[int, str, int]]) -> list[str]:
    """Where a stored body and its rows (item version id, option order, points in thousandths; by position) disagree."""
    found: list[str] = []
    sections: Sequence[Mapping[str, Any]] = body["sections"]
    if body["paper"] != etag or hashlib.sha256(orjson.dumps(sections)).hexdigest()[:32] != etag:
        found.append("the etag is not that of the body")
    if [(s["title"], len(s["items"])) for s in sections] != [(s.title, s.count) for s in blueprint.sections]:
        found.append("the sections are not those of the blueprint")
    shown = [
        (item["position"], item["item"], "".join(option["id"] for option in item["options"]), item["points"])
        for section in sections
        for item in section["items"]
    ]
    stored = [(n, version, order, points / 1000) for n, (version, order, points) in enumerate(rows, start=1)]
    if shown != stored:
        found.append("the items are not those on record")
    return found
