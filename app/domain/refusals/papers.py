"""Refusals: blueprints and papers."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    "already-drawn": Message(
        409,
        "第 {session} 场已经抽题（{papers} 份）；如需重抽，请加 --redraw。",
        "Session {session} is drawn already ({papers} papers). To draw again, add --redraw.",
    ),
    "bank-too-small": Message(
        409, "题库题量不足，无法组卷：{lines_zh}。", "The bank is too small for the blueprint: {lines_en}."
    ),
    "blueprint-bad-count": Message(
        422,
        "组卷方案 {where}：题数 {value} 应为 1 至 {most} 的整数。",
        "Blueprint, {where}: the count {value} should be a whole number from 1 to {most}.",
    ),
    "blueprint-bad-points": Message(
        422,
        "组卷方案 {where}：分值 {value} 应为 1 至 {most} 的整数（千分之一分）。",
        "Blueprint, {where}: the points {value} should be a whole number from 1 to {most} (thousandths).",
    ),
    "blueprint-malformed": Message(
        422,
        "组卷方案格式有误：{where} 缺失、多余或类型不对。",
        "The blueprint is malformed: {where} is missing, unknown or of the wrong type.",
    ),
    "blueprint-missing": Message(
        409,
        "第 {session} 场还没有组卷方案，请先执行 holdfast papers blueprint set {session}。",
        "Session {session} has no blueprint. Run first: holdfast papers blueprint set {session}.",
    ),
    "blueprint-not-json": Message(
        422, "{file} 不是 UTF-8 编码的 JSON 文件：{fault}。", "{file} is not a JSON file in UTF-8: {fault}."
    ),
    "blueprint-one-source": Message(
        422, "请用 --file 或 --items 之一给出组卷方案。", "Give the blueprint by either --file or --items."
    ),
    "blueprint-overlap": Message(
        422,
        "组卷方案 {where}：知识点 {topic}、题型 {type} 与前面的条目重叠，请合并。",
        "Blueprint, {where}: topic {topic}, type {type} overlaps an earlier stratum. Merge them.",
    ),
    "blueprint-too-long": Message(
        422, "组卷方案共 {count} 题，超过上限 {most} 题。", "The blueprint holds {count} items; at most {most} fit."
    ),
    "blueprint-unknown-type": Message(
        422,
        "组卷方案 {where}：没有题型 {value}，可用的有 {types}。",
        "Blueprint, {where}: there is no type {value}; use one of {types}.",
    ),
    "draw-faulty": Message(
        500,
        "抽题结果未通过核对，未保存任何试卷：{faults}。请报告此问题。",
        "The drawn papers failed their check and nothing was stored: {faults}. Please report this.",
    ),
    "draw-uneven": Message(
        409,
        "知识点 {topic}、题型 {type}：{candidates} 人每卷 {count} 题，题库 {available} 题，扣除各人其他场次的题后，"
        "有 {items} 题无法使抽中次数保持在 {least} 至 {most} 次。请增加试题、减少题数，或用 --redraw 重抽其他场次。",
        "Topic {topic}, type {type}: {candidates} candidates, {count} of {available} items each. With what they have "
        "in other sessions, {items} items cannot be used {least} to {most} times. Add items, lower the count, or draw "
        "the other sessions again with --redraw.",
    ),
    "item-unknown": Message(404, "题库中没有题号 {item}。", "There is no item {item} in the bank."),
    "neighbours-alike": Message(
        409,
        "无法使相邻机位同一位置的试题不同：涉及 {candidates} 人，位置 {positions}。请增加该部分试题或合并大题。",
        "Neighbours cannot all have different items at the same position: {candidates} candidates, positions "
        "{positions}. Add items there or merge sections.",
    ),
    "nobody-allocated": Message(
        409,
        "第 {session} 场没有编排应考人员，请先导入编排表。",
        "Nobody is allocated to session {session}. Import the roster first.",
    ),
    "not-drawn": Message(409, "第 {session} 场还没有抽题。", "Session {session} has not been drawn."),
    "papers-in-use": Message(
        409,
        "第 {session} 场已有 {count} 人登录，不能重新抽题。",
        "{count} candidates have signed in to session {session}; its papers cannot be drawn again.",
    ),
    "session-started": Message(
        409, "第 {session} 场已经开始，不能抽题。", "Session {session} has started; no papers can be drawn."
    ),
    "uneven-points": Message(
        409,
        "知识点 {topic}、题型 {type} 的试题分值不一（{points}），各卷总分会不同；请在组卷方案中写明分值。",
        "Topic {topic}, type {type}: items carry different points ({points}), so papers would differ in their total. "
        "Give the points in the blueprint.",
    ),
}
