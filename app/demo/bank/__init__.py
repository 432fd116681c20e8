"""The demo's own bank of items on water engineering, written for this project.

One TOML file per topic beside this module, so that a person can read and correct an item where it stands; pictures
are in ``images/``. In the demo it goes the way of any bank: into a workbook, and through the importer.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
IMAGES = FOLDER / "images"

POINTS_MILLI = {"single": 1000, "multiple": 2000, "true_false": 1000, "blank": 2000, "text": 12000}

BLANK = "____"


@dataclass(frozen=True, slots=True)
class DemoItem:
    """One item as written. ``key``: letters of the right options; ``T`` or ``F``; empty for blanks and text.

    ``blanks`` holds the accepted forms of each blank; ``reference`` is what a marker of a text answer looks for.
    """

    number: str
    type: str
    topic: str
    stem: str
    options: tuple[str, ...] = ()
    key: str = ""
    blanks: tuple[tuple[str, ...], ...] = ()
    reference: str = ""
    image: str | None = None

    @property
    def points_milli(self) -> int:
        return POINTS_MILLI[self.type]


def items() -> tuple[DemoItem, ...]:
    """Every item, by topic. KeyError when a file leaves out what an item needs."""
    return tuple(
        _item(topic_file["topic"], entry)
        for topic_file in (tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))
        for entry in topic_file["item"]
    )


def _item(topic: str, entry: dict[str, Any]) -> DemoItem:
    key = entry["key"] if entry["type"] != "text" else ""
    return DemoItem(
        number=entry["number"],
        type=entry["type"],
        topic=topic,
        stem=entry["stem"],
        options=tuple(entry.get("options", ())),
        key=key if isinstance(key, str) else "",
        blanks=() if isinstance(key, str) else tuple(tuple(forms) for forms in key),
        reference=entry["reference"] if entry["type"] == "text" else "",
        image=entry.get("image"),
    )
