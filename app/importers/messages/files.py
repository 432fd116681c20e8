"""What can be wrong with a file or a sheet as a whole."""

from __future__ import annotations

from app.importers.messages.words import Message, m

# The file as a whole: one clear sentence, and nothing else is looked at.
FILES: dict[str, Message] = {
    "file-missing": m(
        "找不到文件“{file}”",
        "There is no file “{file}”",
        "请检查路径和文件名",
        "check the path and the file's name",
    ),
    "file-unreadable": m(
        "无法读取“{file}”（{reason}）",
        "“{file}” cannot be read ({reason})",
        "请关闭正在使用它的程序，并检查权限",
        "close the program that uses it and check its permissions",
    ),
    "file-empty": m("“{file}”是空文件", "“{file}” is empty", "请重新导出或复制该文件", "export or copy the file again"),
    "not-a-workbook": m(
        "“{file}”不是工作簿，内容是{looks_zh}",
        "“{file}” is not a workbook; its content is {looks_en}",
        "请用 Excel 或 WPS 打开，另存为 .xlsx 或 .csv 后再导入",
        "open it in Excel or WPS, save it as .xlsx or .csv and import that",
    ),
    "workbook-damaged": m(
        "“{file}”已损坏，无法作为工作簿打开",
        "“{file}” is damaged and cannot be opened as a workbook",
        "请用 Excel 或 WPS 打开并另存为 .xlsx，或重新取得该文件",
        "open it in Excel or WPS and save it as .xlsx, or get the file again",
    ),
    "workbook-encrypted": m(
        "“{file}”设有打开密码，无法读取",
        "“{file}” is protected by a password and cannot be read",
        "请打开后取消“用密码进行加密”，保存后再导入",
        "open it, remove the password and save it, then import again",
    ),
    "old-workbook": m(
        "“{file}”是{format}格式，本系统只读 .xlsx 和 .csv",
        "“{file}” is in {format} format; only .xlsx and .csv are read",
        "请用 Excel 或 WPS 另存为 .xlsx 后再导入",
        "save it as .xlsx in Excel or WPS and import that",
    ),
    "file-too-big": m(
        "“{file}”过大（{size}，上限 {limit}）",
        "“{file}” is too big ({size}; the limit is {limit})",
        "请删去无关的工作表、图片和空行后再导入",
        "remove other sheets, pictures and empty rows, then import again",
    ),
    "too-many-rows": m(
        "“{file}”的数据超过 {limit} 行",
        "“{file}” holds more than {limit} rows",
        "请确认文件是否正确，或分批导入",
        "check that it is the right file, or import it in parts",
    ),
    "csv-damaged": m(
        "“{file}”不是完整的 CSV：第 {line} 行附近无法解析",
        "“{file}” is not valid CSV: it cannot be parsed near line {line}",
        "请检查该行的引号，或另存为 .xlsx",
        "check the quotes on that line, or save it as .xlsx",
    ),
    "nothing-inside": m(
        "“{file}”里没有 .csv 文件",
        "“{file}” holds no .csv file",
        "请放入编排表、考室、场次三个 .csv 文件",
        "put the three .csv files (roster, rooms, sessions) into it",
    ),
    "unknown-headers": m(
        "“{file}”中没有认得的表头（看到的是：{seen}）；需要的列：{wanted}",
        "“{file}” has no headers that are known here (found: {seen}); needed: {wanted}",
        "请用“holdfast import template {kind}”生成的模板，或把表头改成上述名称",
        "use the workbook that “holdfast import template {kind}” writes, or rename the headers",
    ),
}

# Where a sheet itself is at fault.
SHEETS: dict[str, Message] = {
    "sheet-missing": m(
        "缺少“{sheet_name}”表",
        "The sheet “{sheet_name}” is missing",
        "请加上该表，列：{wanted}；CSV 请把三个文件放在同一文件夹，或用 --rooms 和 --sessions 指定",
        "add it with the columns {wanted}; for CSV put the three files in one folder, or name them with --rooms and "
        "--sessions",
    ),
    "sheet-empty": m(
        "“{sheet_name}”表没有数据行",
        "The sheet “{sheet_name}” has no rows",
        "请填入数据后再导入",
        "fill it in and import again",
    ),
    "missing-column": m(
        "缺少“{column_name}”列",
        "The column “{column_name}” is missing",
        "请在表头行加上“{column_name}”列并填写",
        "add the column “{column_name}” to the header row and fill it in",
    ),
    "duplicate-header": m(
        "“{column_name}”列出现了两次（另一列是 {other}）",
        "The column “{column_name}” appears twice (the other is {other})",
        "请删去多余的一列或改名",
        "remove or rename one of them",
    ),
    "pasted-picture": m(
        "有图片直接贴在表格里，无法与试题对应",
        "A picture is pasted into the sheet; it cannot be matched to an item",
        "请把图片另存为 PNG、JPEG 或 SVG 文件放在题库旁，并把文件名填入“图片”列",
        "save it as a PNG, JPEG or SVG file beside the bank and write its name into the column 图片",
    ),
}
