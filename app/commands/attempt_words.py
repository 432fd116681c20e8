"""What the audit of an attempt says, in Chinese and English, for somebody who has never seen the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.adjustments import reason_words
from app.domain.attempt_proof import Finding
from app.domain.clock import SCOPES, duration_text

Facts = Mapping[str, Any]

KINDS: dict[str, str] = {
    "start": "开考 start",
    "outage": "服务中断 outage",
    "relog": "安排换机 move",
    "relog_withdrawn": "撤回换机 move withdrawn",
    "sign_in": "登录 sign-in",
    "adjustment": "时间调整 time",
    "revision": "答案 answer",
    "stranded": "搁置 set aside",
    "decision": "处置 decision",
    "quiet": "无新答案 no answer",
    "silent": "失去联系 no contact",
    "end": "结束 end",
    "final": "回执 receipt",
}
STATES = {"open": "进行中 open", "ended": "已结束 ended", "final": "已交卷 final"}
ENDS = {
    "hand_in": "交卷 handed in",
    "time_out": "到时 time was up",
    "forced": "强制收卷 ended by the office",
    "deferred": "缓考 deferred",
}
ADJUSTMENTS = {
    "credit": "补时 credit",
    "extend": "延长 extension",
    "postpone": "推迟开考 start postponed",
    "pause": "暂停 paused",
    "resume": "恢复 resumed",
    "end": "结束 ended",
    "reopen": "恢复作答 reopened",
    "undo": "撤回 taken back",
}
ASIDE = {
    "old_epoch": "来自已换下的电脑 from the PC that was replaced",
    "late": "早该发送而未发送 held back past a contact",
    "ended": "结束后才作答 typed after the end",
    "final": "交卷后才到达 came after the receipt",
}
DECISIONS = {"kept": "未处置 undecided", "adopted": "采用 adopted", "dismissed": "不采用 dismissed"}
RELOGS = {
    "pc_failed": "电脑故障 PC failed",
    "power": "断电 power",
    "network": "网络 network",
    "peripheral": "外设 peripheral",
    "other": "其他 other",
}
RELOG_STATES = {"open": "待登录 not used yet", "used": "已登录 used", "withdrawn": "已撤回 withdrawn"}

FINDINGS: dict[str, tuple[str, str]] = {
    "chain-value": (
        "链条在第 {link} 环断开：第 {position} 题存储的答案不是当时收到的那一个。",
        "The chain breaks at link {link}: the stored answer to question {position} is not the one that was received.",
    ),
    "chain-altered": (
        "链条在第 {link} 环断开：该环有记录被改动、添加或删除，或紧接其后的一环被抽掉。",
        "The chain breaks at link {link}: a revision was changed, added or removed, or the link after it taken out.",
    ),
    "chain-misplaced": (
        "链条在第 {link} 环断开：这一环原来不在这个位置。",
        "The chain breaks at link {link}: this link was not written in this place.",
    ),
    "chain-missing": (
        "链条在第 {link} 环断开：这一环的记录已不存在。",
        "The chain breaks at link {link}: its revisions are gone.",
    ),
    "chain-beyond": (
        "链条在第 {link} 环断开：链条码只到前一环，这一环是多出来的，或链条码被改回。",
        "The chain breaks at link {link}: the head ends before it; the link was added, or the head was put back.",
    ),
    "chain-note": (
        "第 {link} 环的答案完整，但它所记的前一链条码被改动。",
        "The answers of link {link} are whole, but its note of the head before it was changed.",
    ),
    "chain-count": (
        "各环完整，但所记的修改次数被改动（第 {link} 环为末环）。",
        "Every link is whole, but the number of revisions was changed (link {link} is the last).",
    ),
    "answer-missing": (
        "第 {position} 题的答案已从现有答案中删除（历史第 {link} 环有）。",
        "The answer to question {position} was removed from the current answers (the history has it in link {link}).",
    ),
    "answer-added": (
        "第 {position} 题现有一个从未收到过的答案。",
        "Question {position} has an answer that was never received.",
    ),
    "answer-differs": (
        "第 {position} 题现有答案与历史（第 {link} 环）不符。",
        "The current answer to question {position} is not the one of the history (link {link}).",
    ),
    "receipt-missing": ("已交卷，但记录中没有回执。", "The attempt is final, but the record holds no receipt."),
    "receipt-chain": (
        "回执上的链条码不是这条链上任何一环的链条码。",
        "The chain code on the receipt is not that of any link of this chain.",
    ),
    "receipt-count": (
        "回执上的数目（修改、链环、已答）为 {receipt}，记录为 {record}。",
        "The receipt counts {receipt} (revisions, links, answered), the record {record}.",
    ),
    "receipt-answers": (
        "回执上的答案校验码为 {receipt}，由记录算得 {record}。",
        "The receipt's answer code is {receipt}; the record gives {record}.",
    ),
    "receipt-outdated": (
        "回执开具（第 {link} 环）之后又添加了记录，而且不是考务办公室采用的答案（现有 {links} 环）。",
        "Something was added after the receipt (link {link} of {links}), and not by adoption.",
    ),
    "lease-missing": (
        "有答案来自第 {epoch} 号登录，而记录中没有这次登录。",
        "There are answers of sign-in {epoch}, and the record knows no such sign-in.",
    ),
    "lease-differs": (
        "两处所记的登录时间不一致：{row} 与 {leases}。",
        "The two places that note the sign-ins differ: {row} and {leases}.",
    ),
    "adoption-unfounded": (
        "第 {position} 题在第 {link} 环有一个“采用”的答案，而记录中没有对应的处置。",
        "Question {position} has an adopted answer in link {link}, and the record knows no such decision.",
    ),
    "printed-unknown": (
        "应考人员所持回执的链条码不在这条链上：不是这场考试的回执，或记录后来被恢复到更早的时刻，或整体被改写过。",
        "The candidate's receipt is not on this chain: another attempt's, or the record was put back or rewritten.",
    ),
    "printed-outdated": (
        "应考人员所持回执为第 {link} 环时的；其后又添加了记录，而且不是考务办公室采用的答案（现有 {links} 环）。",
        "The candidate's receipt is of link {link} of {links}; what came after it was not added by adoption.",
    ),
}


def finding(found: Finding) -> tuple[str, str]:
    """The sentence of a finding in Chinese and in English."""
    zh, en = FINDINGS[found.code]
    facts = {"position": "?", **{key: "?" if value is None else value for key, value in found.facts.items()}}
    return zh.format_map(facts), en.format_map(facts)


def _answer(facts: Facts) -> str:
    place = f"第 {facts['position']} 题" if facts["position"] is not None else f"试题 item {facts['item']}"
    value = "（清空 cleared）" if facts["value"] is None else _short(facts["shown"])
    return f"{place} = {value}"


def _short(value: str, most: int = 60) -> str:
    line = " ".join(value.split())
    return line if len(line) <= most else f"{line[:most]}… ({len(value)})"


def _revision(facts: Facts) -> str:
    notes = [f"修改 rev {facts['rev']}"]
    if facts["adopted"]:
        notes.append("办公室采用 adopted by the office")
    if facts["late"]:
        notes.append("结束后补到 came late")
    if facts["counts"]:
        notes.append("计入 counts")
    return f"{_answer(facts)}（{'，'.join(notes)}）"


def _adjustment(facts: Facts) -> str:
    what = _kind(facts["kind"])
    if facts["of"] is not None:
        what = f"{what}（{_kind(facts['of'])}）"
    if facts["ms"] is not None:
        what = f"{what} +{duration_text(facts['ms'])}"
    why = " ".join([*SCOPES.get(facts["scope"], ()), *reason_words(facts["reason"])])
    return "，".join([what, why, *(one for one in (facts["by"], facts["note"]) if one)])


def _kind(code: str) -> str:
    return ADJUSTMENTS.get(code, code)


def _receipt(facts: Facts) -> str:
    told = {key: "—" if value is None else value for key, value in facts.items()}
    return (
        f"答 answered {told['answered']}/{told['total']}，校验码 code {told['answers_hash']}，"
        f"{told['links']} 环 links，{told['count']} 次 revisions"
    )


TELL: dict[str, Callable[[Facts], str]] = {
    "start": lambda facts: facts["session"],
    "outage": lambda facts: f"停 {duration_text(facts['gap_ms'])}，考试时钟未走 the exam clock stood",
    "relog": lambda facts: (
        f"{facts['from']} → {facts['to']}，{RELOGS.get(facts['reason'], facts['reason'])}，{facts['by']}"
        f"（{RELOG_STATES.get(facts['state'], facts['state'])}）"
    ),
    "relog_withdrawn": lambda facts: f"{facts['from']} → {facts['to']}，{facts['by']}",
    "sign_in": lambda facts: f"设备 device {facts['device']}，地址 address {facts['address'] or '—'}",
    "adjustment": _adjustment,
    "revision": _revision,
    "stranded": lambda facts: (
        f"{_answer(facts)}，{ASIDE.get(facts['reason'], facts['reason'])}（"
        f"{DECISIONS.get(facts['decision'], facts['decision'])}）"
    ),
    "decision": lambda facts: (
        f"{_answer(facts)}，{DECISIONS.get(facts['decision'], facts['decision'])}，{facts['by']}"
        + (f"：{facts['note']}" if facts["note"] else "")
    ),
    "quiet": lambda facts: f"{duration_text(facts['ms'])} 内没有新答案 without a new answer",
    "silent": lambda facts: f"{duration_text(facts['ms'])} 内没有任何联系，直到结束 without any contact until the end",
    "end": lambda facts: ENDS.get(facts["reason"], str(facts["reason"])),
    "final": _receipt,
}
