"""An entry of an incident in one sentence, Chinese and English, for the page and for paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STATES = {"open": ("处置中", "open"), "closed": ("已关闭", "closed"), "signed": ("已签署", "signed off")}
SCOPES = {
    "site": ("全考点", "the whole site"),
    "building": ("楼宇", "buildings"),
    "room": ("考室", "rooms"),
    "list": ("应考人员名单", "a list of candidates"),
    "candidate": ("单个应考人员", "one candidate"),
}
FIELDS = {"title": ("标题", "title"), "sealed": ("保密", "sealed"), "from_ms": ("开始时间", "beginning")}
Words = tuple[str, str]


def entry_words(kind: str, data: Mapping[str, Any], steps: Sequence[Mapping[str, str]], file: str | None) -> Words:
    """``(zh, en)`` of one entry; ``steps`` are those of the incident's plan, ``file`` the name of what it brings."""
    text = str(data.get("text") or data.get("note") or "")
    match kind:
        case "opened":
            zh, en = f"登记事件：{data.get('title', '')}", f"Opened: {data.get('title_en', '')}"
        case "step" | "step-undone":
            zh, en = _step(kind, str(data["step"]), steps)
        case "told":
            how = f"（{data['how']}）" if data.get("how") else ""
            how_en = f" ({data['how']})" if data.get("how") else ""
            zh, en = f"已告知 {data['who']}{how}", f"Told {data['who']}{how_en}"
        case "people":
            names = "、".join([*data.get("rooms", []), *data.get("tickets", [])])
            zh, en = (
                (f"移出：{names}", f"Taken out: {names}")
                if data.get("removed")
                else (f"涉及：{names}", f"Affected: {names}")
            )
        case "evidence":
            zh, en = f"附件：{file}", f"File: {file}"
        case "changed":
            zh, en = _changed(data)
        case "closed":
            n = len(data.get("undone", []))
            zh, en = "关闭事件", "Closed"
            zh, en = (f"{zh}（{n} 个步骤未登记）", f"{en} ({n} steps not written down)") if n else (zh, en)
        case "reopened":
            zh, en = "重新打开", "Reopened"
        case "signed":
            zh, en = "签署", "Signed off"
        case _:
            return text, text
    return (f"{zh}：{text}", f"{en}: {text}") if text else (zh, en)


def _step(kind: str, step_id: str, steps: Sequence[Mapping[str, str]]) -> Words:
    step = next((one for one in steps if one["id"] == step_id), {"zh": step_id, "en": step_id})
    if kind == "step":
        return f"✓ {step['zh']}", f"✓ {step['en']}"
    return f"撤销登记：{step['zh']}", f"Not done after all: {step['en']}"


def _changed(data: Mapping[str, Any]) -> Words:
    zh, en = FIELDS.get(str(data["field"]), (str(data["field"]),) * 2)
    if data["field"] == "sealed":
        return ("设为保密", "Sealed") if data["after"] else ("解除保密", "Opened to the rooms' staff")
    if data["field"] == "from_ms":
        return f"更改{zh}", f"{en} changed"
    return f"{zh}改为“{data['after']}”", f"{en} changed to “{data['after']}”"
