"""What can be wrong in a bank."""

from __future__ import annotations

from app.importers.messages.words import Message, m

BANK: dict[str, Message] = {
    "unknown-type": m("不认得的题型", "This item type is not known", "可填：{known}", "write one of: {known}"),
    "duplicate-number": m(
        "题号与第 {row} 行{sheet}重复",
        "The same number stands on row {row}{sheet_en}",
        "每道试题一个题号，请改正",
        "every item has its own number: correct one",
    ),
    "duplicate-item": m(
        "与第 {row} 行{sheet}是同一道试题（题干和选项都相同）",
        "The same item stands on row {row}{sheet_en} (same stem, same options)",
        "同一试题出现两次，可能被同一人抽到两次；请删去一行",
        "an item that is there twice could be drawn twice by one candidate: remove one row",
    ),
    "too-few-options": m(
        "选择题至少要两个选项", "A choice item has at least two options", "请补全选项", "complete the options"
    ),
    "option-gap": m(
        "选项{missing}空缺，后面却还有选项",
        "Option {missing} is empty although others follow",
        "请补上或把后面的选项前移",
        "fill it in or move the others up",
    ),
    "duplicate-option": m(
        "选项{first}与选项{second}相同", "Options {first} and {second} are the same", "请改正", "correct one of them"
    ),
    "missing-answer": m("没有答案", "There is no answer", "请填写答案", "fill in the answer"),
    "answer-not-an-option": m(
        "答案“{answer}”不是本题的选项（{options}）",
        "The answer “{answer}” is not one of the item's options ({options})",
        "请改正答案或补上选项",
        "correct the answer or add the option",
    ),
    "several-answers": m(
        "单选题只能有一个答案",
        "A single-choice item has one answer",
        "请改正答案，或把题型改为多选题",
        "correct the answer, or make it a multiple-choice item",
    ),
    "repeated-answer": m(
        "同一选项在答案里写了两次", "The answer names an option twice", "请改正答案", "correct the answer"
    ),
    "bad-truth": m(
        "判断题的答案应是对或错",
        "The answer of a true/false item is true or false",
        "可填：对/错、√/×、T/F、正确/错误、是/否",
        "write 对/错, √/×, T/F, 正确/错误 or 是/否",
    ),
    "empty-blank": m(
        "第 {blank} 空没有答案",
        "Blank {blank} has no answer",
        "多个空用“；”分开，同一空的多种写法用“|”分开",
        "separate blanks by “；” and several accepted forms of one blank by “|”",
    ),
    "blank-count": m(
        "题干有 {blanks} 个空，答案却有 {answers} 个",
        "The stem has {blanks} blanks, the answer {answers}",
        "多个空用“；”分开；答案本身含分号时写作“\\；”",
        "separate blanks by “；”; a semicolon within an answer is written “\\；”",
    ),
    "bad-points": m(
        "分值应大于 0，最多三位小数",
        "Points are above 0 with at most three decimals",
        "请改正分值",
        "correct the points",
    ),
    "picture-name": m(
        "图片名不能含有路径",
        "A picture's name holds no path",
        "请把图片放在题库文件旁，只写文件名",
        "put the picture beside the bank and write its name only",
    ),
    "picture-missing": m(
        "题库旁没有这个图片文件",
        "There is no such picture beside the bank",
        "请把图片放在与题库相同的文件夹",
        "put the picture into the bank's folder",
    ),
    "picture-unknown": m(
        "不是 PNG、JPEG 或 SVG 图片（以内容为准）",
        "It is not a PNG, JPEG or SVG picture (judged by its content)",
        "请另存为 PNG 后再用",
        "save it as PNG",
    ),
    "picture-too-big": m("图片超过 {limit}", "The picture is larger than {limit}", "请缩小图片", "make it smaller"),
    "picture-unsafe": m(
        "SVG 里有脚本或外部引用（{found}）",
        "The SVG holds a script or refers to something outside ({found})",
        "请另存为不含脚本的 SVG，或改用 PNG",
        "save it without, or use PNG",
    ),
}
