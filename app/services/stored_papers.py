"""A stored paper as the rules know it, and where its parts disagree: rows, bytes, and what is counted."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.domain.blueprint import Blueprint
from app.domain.paper_rules import Entry, Fault, Paper
from app.services import paper_bodies

Row = Mapping[str, Any]


def read(row: Row, bank: Mapping[str, Row], blueprint: Blueprint) -> tuple[Paper, list[Fault]]:
    """The paper of a row of ``papers.stored`` and its faults. ``bank``: item number → row it was drawn from."""
    number = {each["version_id"]: each["number"] for each in bank.values()}
    rows = list(zip(row["versions"] or (), row["orders"] or (), row["points"] or (), strict=True))
    entries = tuple(Entry(number.get(version, f"#{version}"), order, points) for version, order, points in rows)
    faults: list[Fault] = []
    if (row["positions"] or []) != list(range(1, row["item_count"] + 1)):
        faults.append(Fault("body", row["ticket"], "positions are missing"))
    faults += [Fault("body", row["ticket"], told) for told in _body(row, blueprint, rows)]
    return Paper(row["ticket"], entries), faults


def _body(row: Row, blueprint: Blueprint, rows: Sequence[tuple[int, str, int]]) -> list[str]:
    try:
        body = paper_bodies.read(bytes(row["body"]))
        return paper_bodies.faults(body, row["etag"], blueprint, rows)
    except (zlib.error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        return [f"the stored bytes are damaged: {error}"]
