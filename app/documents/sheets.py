"""Sheets to be printed before the exam and filled in by hand: each begins on a page of its own, many in one document.

HTML only, and made page by page: the sheets of a whole site with photos are larger than anybody should hold in memory.
Everything that people typed is escaped; nothing is loaded from anywhere else but the two stylesheets.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from app.documents.html import LANG, STYLESHEET, inside
from app.documents.model import Document, Language

SHEETS = "/web/shared/print-sheets.css"
_WEB = Path(__file__).parents[1] / "web"


@dataclass(frozen=True, slots=True)
class Photo:
    content_type: str
    body: bytes


Cell = str | Photo


@dataclass(frozen=True, slots=True)
class Roll:
    """A list with a line a person. ``tall``: room to sign in every line; ``small``: forty lines to a page."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int]
    lines: Literal["small", "tall", "photo"] = "small"


@dataclass(frozen=True, slots=True)
class Blank:
    """A table to be written into: ``count`` empty lines under a heading."""

    heading: str
    head: Sequence[str]
    widths: Sequence[int]
    count: int


@dataclass(frozen=True, slots=True)
class Tile:
    """One seat on the map. ``kind`` is told by border and ``note``, never by colour alone."""

    label: str
    lines: Sequence[str]
    kind: Literal["taken", "empty", "spare", "broken"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class SeatMap:
    front: str
    tiles: Sequence[Tile]
    columns: int


Block = Roll | Blank | SeatMap


@dataclass(frozen=True, slots=True)
class Sheet:
    """``facts``: label and value, in one line; ``fill``: labels with a place to write; ``sign``: lines to be signed."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
    fill: Sequence[str] = ()
    sign: Sequence[str] = ()
    foot: str = ""
    wide: bool = False


def begin(title: str, language: Language, *, alone: bool = False) -> str:
    """``alone`` for a file that is opened without the server."""
    if alone:
        styles = [(_WEB / each.removeprefix("/web/")).read_text(encoding="utf-8") for each in (STYLESHEET, SHEETS)]
        style = f"<style>{''.join(styles)}</style>"
    else:
        style = "".join(f'<link rel="stylesheet" href="{each}">' for each in (STYLESHEET, SHEETS))
    return (
        f'<!doctype html><html lang="{LANG[language]}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'{style}</head><body class="sheets">\n'
    )


END = "</body></html>\n"


def told(sheet: Sheet) -> str:
    """One sheet as it stands between ``begin`` and ``END``."""
    facts = "".join(f"<span><b>{escape(label)}</b> {escape(value)}</span>" for label, value in sheet.facts)
    fill = "".join(f"<span><b>{escape(label)}</b><i></i></span>" for label in sheet.fill)
    sign = "".join(f"<span>{escape(label)}<i></i></span>" for label in sheet.sign)
    return "\n".join(
        [
            f'<section class="sheet print{" sheet-wide" if sheet.wide else ""}">',
            f'<header><h1>{escape(sheet.title)}</h1><p class="print-sub">{escape(sheet.subtitle)}</p></header>',
            f'<p class="sheet-facts">{facts}</p>',
            *map(_block, sheet.blocks),
            f'<p class="sheet-fill">{fill}</p>' if fill else "",
            f'<p class="sheet-sign">{sign}</p>' if sign else "",
            f'<footer class="print-foot">{escape(sheet.foot)}</footer></section>\n',
        ]
    )


def told_document(document: Document) -> str:
    """A document as one of several, on pages of its own."""
    wide = " sheet-wide" if document.landscape else ""
    return f'<section class="sheet print{wide}">\n{inside(document)}</section>\n'


def _block(block: Block) -> str:
    match block:
        case Roll():
            rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in block.rows)
            return _table(block.head, block.widths, rows, f"sheet-{block.lines}")
        case Blank():
            rows = f"<tr>{'<td></td>' * len(block.head)}</tr>" * block.count
            table = _table(block.head, block.widths, rows, "sheet-tall")
            return f'<div class="sheet-blank"><h2>{escape(block.heading)}</h2>{table}</div>'
        case SeatMap():
            tiles = "".join(map(_tile, block.tiles))
            front = f'<p class="sheet-front">{escape(block.front)}</p>'
            return f'{front}<ul class="sheet-map sheet-map-{block.columns}">{tiles}</ul>'


def _table(head: Sequence[str], widths: Sequence[int], rows: str, kind: str) -> str:
    # Widths as an attribute: a style of its own would be refused in the console.
    columns = "".join(f'<col width="{round(100 * width / sum(widths))}%">' for width in widths)
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    thead = f"<thead><tr>{cells}</tr></thead>"
    return f'<table class="{kind}"><colgroup>{columns}</colgroup>{thead}<tbody>{rows}</tbody></table>'


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    return f'<td><img src="data:{cell.content_type};base64,{b64encode(cell.body).decode()}" alt=""></td>'


def _tile(tile: Tile) -> str:
    lines = "".join(f"<span>{escape(line)}</span>" for line in tile.lines)
    note = f"<em>{escape(tile.note)}</em>" if tile.note else ""
    return f'<li class="sheet-{tile.kind}"><b>{escape(tile.label)}</b>{lines}{note}</li>'
