"""A document as a page to print. Everything that people typed is escaped; nothing is loaded from anywhere else."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path

from app.documents.model import (
    DATE,
    EMPTY,
    Block,
    Document,
    Facts,
    Heading,
    Paragraph,
    Picture,
    Signatures,
    Table,
    shares,
)

# The console's pages may not carry styles of their own (CSP), a file that somebody keeps has to.
STYLESHEET = "/web/shared/print.css"
_STYLE = Path(__file__).parents[1] / "web" / "shared" / "print.css"
LANG = {"zh": "zh-CN", "en": "en"}


def html(document: Document, *, alone: bool = False) -> str:
    """The page; ``alone`` for a file that is opened without the server."""
    style = (
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style>"
        if alone
        else f'<link rel="stylesheet" href="{STYLESHEET}">'
    )
    parts = [
        f'<!doctype html><html lang="{LANG[document.language]}"><head><meta charset="utf-8">',
        f"<title>{_text(document.title)}</title>{style}</head>",
        f'<body class="print{" print-wide" if document.landscape else ""}">',
        inside(document),
        "</body></html>",
    ]
    return "\n".join(parts)


def inside(document: Document) -> str:
    """What stands in the body: several documents may share one (``documents.sheets``)."""
    parts = [
        f'<header><h1>{_text(document.title)}</h1><p class="print-sub">{_text(document.subtitle)}</p></header>',
        *(_block(block, document) for block in document.blocks),
        f'<footer class="print-foot">{_text(document.foot)}</footer>',
    ]
    return "\n".join(parts)


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _block(block: Block, document: Document) -> str:
    match block:
        case Heading(text):
            return f"<h2>{_text(text)}</h2>"
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Facts(pairs):
            return "<dl>" + "".join(f"<div><dt>{_text(k)}</dt><dd>{_text(v)}</dd></div>" for k, v in pairs) + "</dl>"
        case Table():
            return _table(block, EMPTY[document.language])
        case Picture():
            source = f"data:{block.content_type};base64,{b64encode(block.body).decode()}"
            caption = _text(block.caption)
            return (
                f'<figure><img src="{source}" alt="{escape(block.caption)}"><figcaption>{caption}</figcaption></figure>'
            )
        case Signatures(labels):
            date = DATE[document.language]
            lines = (f"<div><span>{_text(label)}</span><i></i><span>{date}</span><i></i></div>" for label in labels)
            return f'<section class="print-sign">{"".join(lines)}</section>'


def _table(table: Table, empty: str) -> str:
    # Widths as an attribute: a style of its own would be refused in the console.
    columns = "".join(f'<col width="{round(share * 100)}%">' for share in shares(table))
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    rows = ["".join(f"<td>{_text(cell)}</td>" for cell in row) for row in table.rows]
    rows = rows or [f'<td colspan="{len(table.head)}" class="print-empty">{empty}</td>']
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
