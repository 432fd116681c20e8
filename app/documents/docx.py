"""A document as a Word file (ECMA-376): the few parts that one page needs, written directly.

Only paragraphs, tables and pictures are used, in a form that Word, WPS and LibreOffice all read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

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

# Twentieths of a point: A4, and what lies between its margins.
PAGE, MARGIN = (11906, 16838), 850
EMU = 9525  # of a pixel
WIDEST_EMU = 2_700_000
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_ENDINGS = {"image/jpeg": "jpeg", "image/png": "png"}
# One date for every entry: the same document is the same file.
_MADE = (1980, 1, 1, 0, 0, 0)


def docx(document: Document) -> bytes:
    pictures: list[Picture] = []
    width = (PAGE[1] if document.landscape else PAGE[0]) - 2 * MARGIN
    body = "".join(
        [
            _paragraph(document.title, style="Title"),
            _paragraph(document.subtitle, centred=True),
            *(_block(block, document, width, pictures) for block in document.blocks),
            _paragraph(document.foot, size=16),
        ]
    )
    turned = ' w:orient="landscape"' if document.landscape else ""
    across, down = reversed(PAGE) if document.landscape else PAGE
    section = (
        f'<w:sectPr><w:pgSz w:w="{across}" w:h="{down}"{turned}/><w:pgMar w:top="{MARGIN}" w:right="{MARGIN}"'
        f' w:bottom="{MARGIN}" w:left="{MARGIN}" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr>'
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in _parts(f"{body}{section}", pictures):
            package.writestr(zipfile.ZipInfo(name, _MADE), text, zipfile.ZIP_DEFLATED)
        for n, picture in enumerate(pictures, 1):
            name = f"word/media/image{n}.{_ENDINGS[picture.content_type]}"
            package.writestr(zipfile.ZipInfo(name, _MADE), picture.body, zipfile.ZIP_STORED)
    return out.getvalue()


def _parts(body: str, pictures: Sequence[Picture]) -> Iterator[tuple[str, str]]:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    yield (
        "[Content_Types].xml",
        (
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="jpeg" ContentType="image/jpeg"/>'
            '<Default Extension="png" ContentType="image/png"/>'
            f'<Override PartName="/word/document.xml" ContentType="{kind}.document.main+xml"/>'
            f'<Override PartName="/word/styles.xml" ContentType="{kind}.styles+xml"/></Types>'
        ),
    )
    yield "_rels/.rels", _relations([("rId1", "officeDocument", "word/document.xml")])
    images = [
        (f"rId{n + 1}", "image", f"media/image{n}.{_ENDINGS[picture.content_type]}")
        for n, picture in enumerate(pictures, 1)
    ]
    yield "word/_rels/document.xml.rels", _relations([("rId1", "styles", "styles.xml"), *images])
    yield "word/styles.xml", _STYLES
    yield (
        "word/document.xml",
        (
            f'{_XML}<w:document xmlns:w="{_MAIN}" xmlns:r="{_REL}" xmlns:wp="{_DRAWING}/wordprocessingDrawing"'
            f' xmlns:a="{_DRAWING}/main" xmlns:pic="{_DRAWING}/picture"><w:body>{body}</w:body></w:document>'
        ),
    )


def _relations(some: Sequence[tuple[str, str, str]]) -> str:
    lines = "".join(f'<Relationship Id="{i}" Type="{_REL}/{kind}" Target="{to}"/>' for i, kind, to in some)
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


_STYLES = (
    f'{_XML}<w:styles xmlns:w="{_MAIN}"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="Microsoft YaHei" w:cs="Arial"/><w:sz w:val="21"/>'
    "</w:rPr></w:rPrDefault></w:docDefaults>"
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/>'
    '<w:pPr><w:jc w:val="center"/></w:pPr><w:rPr><w:b/><w:sz w:val="36"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/>'
    '<w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="0"/></w:pPr>'
    '<w:rPr><w:b/><w:sz w:val="25"/></w:rPr></w:style></w:styles>'
)


def _block(block: Block, document: Document, width: int, pictures: list[Picture]) -> str:
    match block:
        case Heading(text):
            return _paragraph(text, style="Heading1")
        case Paragraph(text):
            return _paragraph(text)
        case Facts(pairs):
            return _grid([list(pair) for pair in pairs], [0.25, 0.75], width, grey_columns=1)
        case Table():
            rows = [list(row) for row in block.rows] or [[EMPTY[document.language], *[""] * (len(block.head) - 1)]]
            return _grid([list(block.head), *rows], shares(block), width, head=True)
        case Picture():
            return _picture(block, pictures)
        case Signatures(labels):
            date = DATE[document.language]
            return "".join(_paragraph(f"{one}{'_' * 24}    {date}{'_' * 14}", before=400) for one in labels)


def _run(text: str, properties: str = "") -> str:
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{_plain(line)}</w:t>' for line in text.split("\n"))
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}{lines}</w:r>"


def _plain(text: str) -> str:
    # XML 1.0 has no control characters but these, in whatever way they are written.
    return escape(
        "".join(one for one in text if one in "\t\r" or (ord(one) >= 0x20 and ord(one) not in (0xFFFE, 0xFFFF)))
    )


def _paragraph(text: str, *, style: str = "", centred: bool = False, size: int = 0, before: int = 0) -> str:
    how = f'<w:pStyle w:val="{style}"/>' if style else ""
    how += f'<w:spacing w:before="{before}"/>' if before else ""
    how += '<w:jc w:val="center"/>' if centred else ""
    run = _run(text, f'<w:sz w:val="{size}"/>' if size else "")
    return f"<w:p><w:pPr>{how}</w:pPr>{run}</w:p>"


def _grid(
    rows: Sequence[Sequence[str]], parts: Sequence[float], width: int, *, head: bool = False, grey_columns: int = 0
) -> str:
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    columns = [int(part * width) for part in parts]
    lines = []
    for n, row in enumerate(rows):
        # The head comes again on every page, and no row is torn in two.
        how = f"<w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head and n == 0 else ''}</w:trPr>"
        cells = "".join(
            _cell(text, column, grey=(head and n == 0) or at < grey_columns)
            for at, (text, column) in enumerate(zip(row, columns, strict=True))
        )
        lines.append(f"<w:tr>{how}{cells}</w:tr>")
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>'
        + "".join(f'<w:gridCol w:w="{column}"/>' for column in columns)
        + f"</w:tblGrid>{''.join(lines)}</w:tbl>"
    )


def _cell(text: str, width: int, *, grey: bool) -> str:
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="F0F0F0"/>' if grey else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr><w:p>{_run(text)}</w:p></w:tc>'


def _picture(picture: Picture, pictures: list[Picture]) -> str:
    if picture.pixels is None or picture.content_type not in _ENDINGS:
        return _paragraph(picture.caption)
    pictures.append(picture)
    n = len(pictures)
    across, down = (pixel * EMU for pixel in picture.pixels)
    scale = min(1.0, WIDEST_EMU / max(across, down))
    size = f'cx="{int(across * scale)}" cy="{int(down * scale)}"'
    name = quoteattr(_plain(picture.caption)[:200])
    return (
        f'<w:p><w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent {size}/>'
        f'<wp:docPr id="{n}" name="picture {n}" descr={name}/><a:graphic><a:graphicData uri="{_DRAWING}/picture">'
        f'<pic:pic><pic:nvPicPr><pic:cNvPr id="{n}" name="picture {n}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
        f'<a:blip r:embed="rId{n + 1}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
        f'<a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr>'
        f"</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>{_paragraph(picture.caption)}"
    )
