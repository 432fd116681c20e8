"""What can be wrong in a cell of any file, and what is only noted."""

from __future__ import annotations

from app.importers.messages.words import Message, m

# Where one cell is at fault, in any kind of file.
CELLS: dict[str, Message] = {
    "missing-value": m(
        "“{column_name}”没有填写", "“{column_name}” is empty", "请填写“{column_name}”", "fill in “{column_name}”"
    ),
    "formula": m(
        "这里是公式，不是值",
        "This is a formula, not a value",
        "请复制该单元格并“选择性粘贴为数值”",
        "copy the cell and paste it back as a value",
    ),
    "error-value": m(
        "这里是 Excel 的错误值",
        "This is one of Excel's error values",
        "请改为正确的内容",
        "replace it by what is meant",
    ),
    "excel-date": m(
        "Excel 把这里变成了日期",
        "Excel has turned this into a date",
        "请把该列设为“文本”格式后重新输入",
        "set the column's format to Text and type it again",
    ),
    "number-lost-digits": m(
        "Excel 把“{column_name}”变成了数字，超过 15 位的尾数已丢失",
        "Excel has turned “{column_name}” into a number; digits beyond the fifteenth are lost",
        "请把该列设为“文本”格式，再对照原件重新输入全部数字",
        "set the column's format to Text and type the whole number again from the original",
    ),
    "merged-cell": m(
        "“{column_name}”与相邻单元格合并，这一行没有自己的值",
        "“{column_name}” is merged with its neighbour; this row has no value of its own",
        "请取消合并，并为每一行填写",
        "unmerge the cells and fill in every row",
    ),
    "garbled": m(
        "文字里有乱码（“?”或无法显示的字符）",
        "The text is garbled (“?” or characters that cannot be shown)",
        "请对照原件重新输入；生僻字可用部首输入法或复制",
        "type it again from the original; copy rare characters from a dictionary",
    ),
    "too-long": m("文字超过 {limit} 个字符", "The text is longer than {limit} characters", "请缩短", "shorten it"),
    "not-a-whole-number": m(
        "“{column_name}”应是 {least} 到 {most} 之间的整数",
        "“{column_name}” must be a whole number from {least} to {most}",
        "请改为整数",
        "write a whole number",
    ),
}

# What was put right or is worth a look; nothing here stops an import.
NOTES: dict[str, Message] = {
    "full-width": m("全角字符已改为半角", "Full-width characters were made half-width"),
    "stray-blanks": m("多余的空格已去掉", "Stray blanks were removed"),
    "lower-case": m("小写字母已改为大写", "Lower-case letters were made upper-case"),
    "invisible-characters": m("不可见字符已去掉", "Invisible characters were removed"),
    "name-dot": m("姓名中的间隔号已统一为“·”", "The dot in the name was made “·”"),
    "respelled": m("已统一写法", "It was brought to one spelling"),
    "number-for-text": m("单元格是数字，已按文本读入", "The cell holds a number; it was read as text"),
    "number-format": m(
        "单元格设有数字格式，按数值读入，请核对", "The cell has a number format; its value was read, please check"
    ),
    "merged-filled": m(
        "合并单元格：同一个值用于它覆盖的每一行", "Merged cells: the value was used for every row they cover"
    ),
    "private-use": m(
        "姓名里有自造字，别的电脑可能显示不出来",
        "The name holds a private-use character that other PCs may not show",
    ),
    "sex-differs": m("性别与身份证号不一致，按表中的性别导入", "Gender and ID number disagree; the column was used"),
    "spare-seat-used": m("编排在备用机位上", "The candidate is placed on a spare seat"),
    "several-rows": m(
        "同一应考人员分多行编排，已与第 {row} 行{sheet}合并",
        "The candidate stands on several rows; joined with row {row}{sheet_en}",
    ),
    "room-unused": m("没有人编排在这个考室", "Nobody is allocated to this room"),
    "session-unused": m("没有人编排在这一场", "Nobody is allocated to this session"),
    "blank-row": m("空行已跳过", "An empty row was skipped"),
    "footer-row": m("合计、备注等行已跳过", "A row of totals or remarks was skipped"),
    "header-again": m("重复的表头行已跳过", "A repeated header row was skipped"),
    "rows-beyond": m("连续 {count} 个空行之后的内容没有读", "What follows after {count} empty rows was not read"),
    "sheet-hidden": m("隐藏的工作表没有读", "A hidden sheet was not read"),
    "sheet-ignored": m("不认得的工作表没有读", "A sheet that is not known here was not read"),
    "column-ignored": m("不认得的列没有读", "A column that is not known here was not read"),
    "same-stem": m(
        "题干与第 {row} 行{sheet}相同而选项不同，作为两道试题导入",
        "The stem is that of row {row}{sheet_en} with other options: imported as two items",
    ),
    "one-of-several": m("多选题只有一个正确选项，请核对", "A multiple-choice item with one right option; please check"),
    "options-ignored": m("这种题型不用选项，选项没有读", "This type has no options; they were not read"),
    "option-letter": m(
        "选项前的字母已去掉（显示时自动编号）", "The letter before the option was removed; it is shown anyway"
    ),
    "points-default": m("没有分值，按 1 分", "No points are given; 1 was used"),
    "number-by-row": m(
        "没有“题号”列，按行序编号；以后增删行会改变题号",
        "There is no column 题号: items are numbered by row, which changes when rows are added or removed",
    ),
    "picture-on-top": m("表头处的图片没有读", "A picture at the head of the sheet was not read"),
}
