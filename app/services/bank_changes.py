"""A bank against the record: which items are new, changed, gone or back. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.importers.items import TYPES
from app.importers.model import Bank, ItemPlan
from app.services.changes import Change, short
from app.storage.postgres.bank import Item


@dataclass(slots=True)
class Plan:
    """``versions``: (item's number, version number, values) of new versions; ids of items that leave or come back."""

    items_in: list[str] = field(default_factory=list)
    versions: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    retire: list[int] = field(default_factory=list)
    restore: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    # How many of the changed items are on papers already.
    drawn: int = 0
    # How many stored items the file does not hold, kept because only additions were asked for.
    kept: int = 0


def version_values(plan: ItemPlan) -> dict[str, Any]:
    """The columns of an item version."""
    values: dict[str, Any] = {
        "type": plan.type,
        "topic": plan.topic,
        "stem": plan.stem,
        "options": [option.as_json() for option in plan.options],
        "key": plan.key,
        "points_milli": plan.points_milli,
        "media": list(plan.media),
    }
    return {**values, "content_hash": content_hash(values)}


def content_hash(values: dict[str, Any]) -> bytes:
    """SHA-256 over everything a version says, in one spelling; equal for equal content and for nothing else."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def compare(bank: Bank, stored: Sequence[Item], *, keep_others: bool) -> Plan:
    """Everything that differs. ``keep_others``: items that the file does not hold stay (a bank in several files).

    A version is never edited. An item whose content differs gets a new one; papers keep the version they hold.
    """
    plan = Plan()
    known = {each.number: each for each in stored}
    for wanted in bank.items:
        there = known.pop(wanted.number, None)
        values = version_values(wanted)
        if there is None:
            plan.items_in.append(wanted.number)
            plan.versions.append((wanted.number, 1, values))
            plan.changes.append(
                Change("item", "add", wanted.number, after=f"{TYPES[wanted.type]} {short(wanted.stem)}")
            )
            continue
        if there.retired:
            plan.restore.append(there.id)
            plan.changes.append(Change("item", "add", wanted.number, after=short(wanted.stem)))
        if values["content_hash"] != bytes(there.content_hash):
            plan.versions.append((wanted.number, there.version + 1, values))
            plan.changes.extend(_differences(there, values))
            plan.drawn += there.drawn
    for there in known.values():
        if there.retired:
            continue
        if keep_others:
            plan.kept += 1
        else:
            plan.retire.append(there.id)
            plan.changes.append(Change("item", "remove", there.number, before=short(there.stem)))
    return plan


def _differences(there: Item, values: dict[str, Any]) -> Iterator[Change]:
    for name in ("type", "topic", "stem", "options", "key", "points_milli", "media"):
        before, after = getattr(there, name), values[name]
        if before == after:
            continue
        if name == "points_milli":
            yield Change("item", "change", there.number, "points", f"{before / 1000:g}", f"{after / 1000:g}")
        elif name == "options":
            yield Change("item", "change", there.number, name, _options(before), _options(after))
        elif name == "type":
            yield Change("item", "change", there.number, name, TYPES.get(before, before), TYPES[after])
        else:
            yield Change("item", "change", there.number, name, short(before), short(after))


def _options(options: list[dict[str, Any]]) -> str:
    return short(" ".join(f"{option['id']}. {option['text']}" for option in options))
