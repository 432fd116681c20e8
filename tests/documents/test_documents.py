"""One document, three writers: each says all of it, and nothing that was typed is more than text."""

from __future__ import annotations

import zipfile
from io import BytesIO
from xml.etree import ElementTree as ET

import openpyxl

from app.documents.docx import docx
from app.documents.html import html
from app.documents.model import Document, Facts, Heading, Paragraph, Picture, Signatures, Table
from app.documents.xlsx import xlsx

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (400).to_bytes(4) + (300).to_bytes(4) + bytes(5)
TYPED = "=1+1\n<script>alert('x')</script> & 𠮷·\x0b名"
MADE = Document(
    title="考场情况记录单 [1]/2",
    subtitle="考试",
    language="zh",
    blocks=[
        Facts([("场次", "第一场"), ("说明", TYPED)]),
        Heading("名单"),
        Table(["准考证号", "姓名", "说明"], [["T-1", "欧阳某某", TYPED], ["T-2", "李四", ""]], (2, 1, 5)),
        Table(["时间", "内容"], []),
        Paragraph("第一行\n第二行"),
        Picture(PNG, "image/png", "配电箱<1>.png", (400, 300)),
        Picture(b"RIFF....WEBP", "image/webp", "走廊.webp", None),
        Signatures(["监考人员", "主考"]),
    ],
    foot="打印时间 10:00",
    landscape=True,
)
SAID = ["第一场", "欧阳某某", "T-2", "名单", "第二行", "监考人员", "打印时间 10:00", "配电箱<1>.png", "走廊.webp", "无"]


def test_html_says_it_and_runs_nothing():
    page = html(MADE)
    for words in SAID:
        assert words.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert '<html lang="zh-CN">' in page
    assert 'href="/web/shared/print.css"' in page
    assert page.count("data:image/") == 2
    alone = html(MADE, alone=True)
    assert "<style>" in alone
    assert "<link" not in alone


def test_a_workbook_says_it_and_computes_nothing():
    sheet = openpyxl.load_workbook(BytesIO(xlsx(MADE))).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    told = "\n".join(str(cell.value) for cell in cells)
    for words in SAID:
        assert words in told
    assert {cell.data_type for cell in cells} == {"s"}
    assert "=1+1" in told
    assert sheet.page_setup.orientation == "landscape"


def test_a_word_file_says_it_in_well_formed_parts():
    body = docx(MADE)
    assert docx(MADE) == body
    package = zipfile.ZipFile(BytesIO(body))
    assert package.testzip() is None
    parts = {name: ET.fromstring(package.read(name)) for name in package.namelist() if "media" not in name}  # noqa: S314 -- our own
    text = "\n".join(parts["word/document.xml"].itertext())
    for words in SAID:
        assert words in text
    assert package.read("word/media/image1.png") == PNG
    assert len([name for name in package.namelist() if "media" in name]) == 1
    related = {one.get("Id"): one.get("Target") for one in parts["word/_rels/document.xml.rels"]}
    used = [value for one in parts["word/document.xml"].iter() for key, value in one.attrib.items() if "embed" in key]
    assert [related[one] for one in used] == ["media/image1.png"]
