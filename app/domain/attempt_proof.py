"""Whether what the record says of an attempt holds together: the chain, the answers that count, the receipt.

``prove`` compares what was written at different times: the history with the chain's head, the current answers with the
merge of the history, the receipt with both, and the leases and decisions with what was written under them. What it
cannot see is in ``app.domain.chain``: a record that was rewritten as a whole, receipt included. Then the receipt in the
candidate's hand is the only witness; its head is given as ``printed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from app.domain.attempt_record import Snapshot
from app.domain.chain import SHORT_DIGITS, Fault, Revision, Why, heads, verify
from app.domain.receipt import answers_hash, is_answered
from app.domain.responses import Response, merge

# Every kind of finding; those of the chain are the reasons of ``chain.Fault``.
CODES = (
    *(f"chain-{why}" for why in get_args(Why)),
    "answer-missing", "answer-added", "answer-differs",
    "receipt-missing", "receipt-chain", "receipt-count", "receipt-answers", "receipt-outdated",
    "lease-missing", "lease-differs", "adoption-unfounded",
    "printed-unknown", "printed-outdated",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. ``code`` is one of CODES; ``facts``: link, item, position, epoch, what the record
    says and what it should."""

    code: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """``receipt_link`` and ``printed_link``: after which link the record's, or the printed, receipt was made.

    ``adopted_since``: links that the office added by adoption after the receipt. ``printed_reopened_ms``: when the
    attempt was reopened that the printed receipt had closed, if the candidate went on.
    """

    links: int
    count: int
    head: str
    findings: tuple[Finding, ...]
    receipt_link: int | None = None
    printed_link: int | None = None
    adopted_since: int = 0
    printed_reopened_ms: int | None = None

    @property
    def whole(self) -> bool:
        return not self.findings


def prove(snapshot: Snapshot, printed: str | None = None) -> Proof:
    """Everything that does not hold, in the order of the docstring above; ``printed`` is a head as a receipt shows it,
    whole or its first 16 digits, blanks and letter case as may be (ValueError if it is not one)."""
    standing = snapshot.standing
    findings: list[Finding] = []
    fault = verify(snapshot.attempt, snapshot.revisions, standing.head)
    if fault is not None:
        findings.append(_broken(snapshot, fault))
    after = {head.hex(): link for link, head in heads(snapshot.attempt, snapshot.revisions).items()}
    # Where the history was falsified the head of old still says which state a receipt was made of.
    after.setdefault(standing.head.digest.hex(), standing.head.links)
    findings += _answers(snapshot)
    receipt_link, of_receipt = _receipt(snapshot, after)
    findings += of_receipt
    for kept in standing.receipts:
        findings += _kept(snapshot, after, kept)
    printed_link = reopened_ms = None
    if printed is not None:
        printed_link, reopened_ms, of_print = _printed(snapshot, after, printed)
        findings += of_print
    findings += _leases(snapshot)
    findings += _adoptions(snapshot)
    return Proof(
        links=standing.head.links,
        count=standing.head.count,
        head=standing.head.digest.hex(),
        findings=tuple(findings),
        receipt_link=receipt_link,
        printed_link=printed_link,
        adopted_since=0 if receipt_link is None else len(_later(snapshot, receipt_link)),
        printed_reopened_ms=reopened_ms,
    )


def head_digits(printed: str) -> str:
    """The hex digits of a head as somebody typed it. ValueError when there are fewer than a receipt shows in short
    (they could be met by trying), or something else among them."""
    digits = "".join(printed.split()).lower()
    if not SHORT_DIGITS <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise ValueError(printed)
    return digits


def _position(snapshot: Snapshot, item: int) -> int | None:
    known = snapshot.paper.get(item)
    return None if known is None else known.position


def _broken(snapshot: Snapshot, fault: Fault) -> Finding:
    facts: dict[str, Any] = {"link": fault.link}
    if fault.item is not None:
        facts |= {"item": fault.item, "position": _position(snapshot, fault.item)}
    return Finding(f"chain-{fault.why}", facts)


def _answers(snapshot: Snapshot) -> list[Finding]:
    """The answers that count against the model's merge of the history."""
    merged = _merged(snapshot.revisions)
    found = []
    for item in sorted(merged.keys() | snapshot.responses.keys()):
        facts = {"item": item, "position": _position(snapshot, item)}
        current, expected = snapshot.responses.get(item), merged.get(item)
        if expected is None:
            found.append(Finding("answer-added", facts))
        elif current is None:
            found.append(Finding("answer-missing", {**facts, "link": expected.link}))
        else:
            response, stamp_ms, late = current
            winner = expected.response
            same = response.version == winner.version and response.value == winner.value
            if not (same and stamp_ms == expected.stamp_ms and late == expected.late):
                told = {"now": response.value, "history": winner.value, "link": expected.link}
                found.append(Finding("answer-differs", {**facts, **told}))
    return found


def _current(revisions: Iterable[Revision]) -> dict[int, Response]:
    return merge({}, (one.response for one in revisions))


def _merged(revisions: Iterable[Revision]) -> dict[int, Revision]:
    """The revision that counts, per item, by the model of the merge."""
    by_identity = {(one.response.item, one.response.version): one for one in revisions}
    winners = _current(by_identity.values())
    return {item: by_identity[item, response.version] for item, response in winners.items()}


def _later(snapshot: Snapshot, link: int) -> list[int]:
    """The links after ``link``."""
    return sorted({one.link for one in snapshot.revisions if one.link > link})


def _only_adopted(snapshot: Snapshot, link: int) -> bool:
    """Whether the office alone wrote after ``link``, by adopting what had been kept aside."""
    return all(one.response.version.adopt_n for one in snapshot.revisions if one.link > link)


def _receipt(snapshot: Snapshot, after: Mapping[str, int]) -> tuple[int | None, list[Finding]]:
    """After which link the receipt was made, and what in it does not fit the record at that link."""
    receipt = snapshot.standing.receipt
    if receipt is None:
        missing = [Finding("receipt-missing", {})] if snapshot.standing.state == "final" else []
        return None, missing
    link = after.get(str(receipt.get("chain", "")))
    if link is None:
        return None, [Finding("receipt-chain", {"receipt": receipt.get("chain")})]
    found = []
    if not _only_adopted(snapshot, link):
        found.append(Finding("receipt-outdated", {"link": link, "links": snapshot.standing.head.links}))
    return link, found + _unlike(snapshot, link, receipt)


def _kept(snapshot: Snapshot, after: Mapping[str, int], receipt: Mapping[str, Any]) -> list[Finding]:
    """What in a receipt from before a reopening does not fit the record at its link; that more followed does."""
    link = after.get(str(receipt.get("chain", "")))
    if link is None:
        return [Finding("receipt-chain", {"receipt": receipt.get("chain")})]
    return _unlike(snapshot, link, receipt)


def _unlike(snapshot: Snapshot, link: int, receipt: Mapping[str, Any]) -> list[Finding]:
    found = []
    before = [one for one in snapshot.revisions if one.link <= link]
    answers = {item: response.value for item, response in _current(before).items()}
    answered = sum(map(is_answered, answers.values()))
    counts = (receipt.get("count"), receipt.get("links", link), receipt.get("answered"))
    if counts != (len(before), link, answered):
        found.append(Finding("receipt-count", {"receipt": list(counts), "record": [len(before), link, answered]}))
    code = answers_hash(answers)
    if receipt.get("answers_hash") != code:
        found.append(Finding("receipt-answers", {"receipt": receipt.get("answers_hash"), "record": code}))
    return found


def _printed(
    snapshot: Snapshot, after: Mapping[str, int], printed: str
) -> tuple[int | None, int | None, list[Finding]]:
    """After which link the printed receipt was made, when it was reopened since, and what does not hold."""
    digits = head_digits(printed)
    link = next((link for head, link in after.items() if head and head.startswith(digits)), None)
    if link is None:
        return None, None, [Finding("printed-unknown", {"printed": digits})]
    if _only_adopted(snapshot, link):
        return link, None, []
    for kept in snapshot.standing.receipts:
        if after.get(str(kept.get("chain", ""))) == link:
            return link, kept["reopened_ms"], []
    return link, None, [Finding("printed-outdated", {"link": link, "links": snapshot.standing.head.links})]


def _leases(snapshot: Snapshot) -> list[Finding]:
    """Whoever wrote had been granted to write, and the two places that say when say the same."""
    granted = {lease.epoch: lease.granted_ms for lease in snapshot.leases}
    wrote = {one.response.version.epoch for one in snapshot.revisions if not one.response.version.adopt_n}
    missing = [Finding("lease-missing", {"epoch": epoch}) for epoch in sorted(wrote - granted.keys())]
    if dict(snapshot.standing.grants) != granted and not missing:
        missing.append(Finding("lease-differs", {"row": dict(snapshot.standing.grants), "leases": granted}))
    return missing


def _adoptions(snapshot: Snapshot) -> list[Finding]:
    """What the office adopted had been kept aside before, and somebody decided on it."""
    kept = {(one.response.item, one.response.version.hash) for one in snapshot.stranded if one.state == "adopted"}
    return [
        Finding(
            "adoption-unfounded",
            {"link": one.link, "item": one.response.item, "position": _position(snapshot, one.response.item)},
        )
        for one in snapshot.revisions
        if one.response.version.adopt_n and (one.response.item, one.response.version.hash) not in kept
    ]
