"""Falsifications of a record by somebody who may write anything, and where an audit must find each.

The first attempt, ``$a``, has links 1 (items 1, 2 and 4), 2 (item 1), 3 (item 5) and 4 (item 2) and is final; ``$b`` is
another candidate's. ``$i1`` … are items. The value of an attack is its statements and the first finding, with its link.
"""

from __future__ import annotations

from app.domain.responses import value_hash

# A forger who knows how hashes are made.
D = f"value = '\"D\"', value_hash = '\\x{value_hash('D').hex()}'"
NEW = f"'\\x{value_hash('D').hex()}', '\"D\"'"


def link(n: int, change: str) -> str:
    return f"UPDATE response_history SET {change} WHERE attempt_id = '$a' AND link = {n}"


def attempt(change: str) -> str:
    return f"UPDATE attempt SET {change} WHERE id = '$a'"


def gone(n: int, more: str = "") -> str:
    return f"DELETE FROM response_history WHERE attempt_id = '$a' AND link = {n} {more}"


def exchanged(table: str, change: str = "") -> str:
    return f"UPDATE {table} SET attempt_id = CASE attempt_id WHEN '$a' THEN '$b' ELSE '$a' END::uuid {change}"


HEAD_PUT_BACK = attempt(
    "chain = (SELECT chain_before FROM response_history WHERE attempt_id = '$a' AND link = 4),"
    " chain_links = 3, count = 5"
)
ANSWER_PUT_BACK = """
UPDATE response x SET (epoch, rev, value, value_hash, stamp_ms) = (
    SELECT epoch, rev, value, value_hash, stamp_ms FROM response_history h
    WHERE h.attempt_id = x.attempt_id AND h.item_id = x.item_id AND link = 1
) WHERE attempt_id = '$a' AND item_id = $i2
"""
ROW_INSERTED = f"""
INSERT INTO response_history SELECT session_id, attempt_id, $i3, epoch, 1, 0, {NEW}, at_ms, stamp_ms, seq, link, late,
    chain_before FROM response_history WHERE attempt_id = '$a' AND link = 3
"""
LINK_APPENDED = f"""
INSERT INTO response_history SELECT session_id, attempt_id, $i3, epoch, 1, 0, {NEW}, at_ms, stamp_ms, seq, 5, late,
    NULL FROM response_history WHERE attempt_id = '$a' AND link = 4
"""
HEADS_EXCHANGED = """
UPDATE attempt x SET (chain, chain_links, count, receipt) =
    (SELECT chain, chain_links, count, receipt FROM attempt y WHERE y.id <> x.id)
"""
ANSWER_PUT_IN = """
INSERT INTO response SELECT attempt_id, $i3, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, late
FROM response WHERE attempt_id = '$a' AND item_id = $i1
"""
SIGN_IN_GONE = """
DELETE FROM lease WHERE attempt_id = '$a' AND epoch = (SELECT min(epoch) FROM lease WHERE attempt_id = '$a')
"""

ATTACKS: dict[str, tuple[list[str], str]] = {
    # The history.
    "a value": ([link(2, "value = '\"D\"'")], "chain-value 2"),
    "a value with its hash": ([link(2, D)], "chain-altered 2"),
    "a value wherever it stands": (
        [link(2, D), f"UPDATE response SET {D} WHERE attempt_id = '$a' AND item_id = $i1"],
        "chain-altered 2",
    ),
    "a revision": ([link(2, "rev = rev + 7")], "chain-altered 2"),
    "when it came": ([link(4, "stamp_ms = stamp_ms - 60000")], "chain-altered 4"),
    "when it was typed": ([link(3, "at_ms = at_ms + 1")], "chain-altered 3"),
    "which checkpoint brought it": ([link(3, "seq = seq + 1")], "chain-altered 3"),
    "that it was late": ([link(4, "late = true")], "chain-altered 4"),
    "that the office adopted it": ([link(4, "adopt_n = 1")], "chain-altered 4"),
    "one row of a link deleted": ([gone(1, "AND item_id = $i1")], "chain-altered 1"),
    "a row inserted": ([ROW_INSERTED], "chain-altered 3"),
    "a link deleted": ([gone(3)], "chain-missing 3"),
    "a link deleted and the rest renumbered": (
        [gone(2), "UPDATE response_history SET link = link - 1 WHERE attempt_id = '$a' AND link > 2"],
        "chain-altered 1",
    ),
    "two links exchanged": (
        ["UPDATE response_history SET link = 5 - link WHERE attempt_id = '$a' AND link IN (2, 3)"],
        "chain-misplaced 2",
    ),
    "the last link deleted": ([gone(4)], "chain-missing 4"),
    "the last link deleted, the head put back": ([HEAD_PUT_BACK, gone(4), ANSWER_PUT_BACK], "receipt-chain"),
    "a link appended": ([LINK_APPENDED], "chain-beyond 5"),
    "a noted head": ([link(3, "chain_before = '\\x00'")], "chain-note 3"),
    "two candidates' histories exchanged": (
        [
            exchanged("response_history", ", item_id = item_id + 1000000"),
            "UPDATE response_history SET item_id = item_id - 1000000",
            HEADS_EXCHANGED,
            exchanged("response", ", item_id = item_id + 1000000"),
            "UPDATE response SET item_id = item_id - 1000000",
        ],
        "chain-altered 1",
    ),
    # The attempt's row.
    "the head": ([attempt("chain = sha256(chain)")], "chain-altered 4"),
    "the count": ([attempt("count = count + 1")], "chain-count 4"),
    "the receipt's count": ([attempt("receipt = receipt || '{\"count\": 5}'")], "receipt-count"),
    "the receipt's answers": (
        [attempt('receipt = receipt || \'{"answers_hash": "0000 0000 0000"}\'')],
        "receipt-answers",
    ),
    "the receipt gone": ([attempt("receipt = NULL")], "receipt-missing"),
    # The answers that count.
    "an answer": (
        ["UPDATE response SET value = '\"D\"' WHERE attempt_id = '$a' AND item_id = $i1"],
        "answer-differs 2",
    ),
    "an answer removed": (["DELETE FROM response WHERE attempt_id = '$a' AND item_id = $i1"], "answer-missing 2"),
    "an answer put in": ([ANSWER_PUT_IN], "answer-added"),
    # Who wrote.
    "a sign-in gone": ([SIGN_IN_GONE], "lease-missing"),
    "when they signed in": (
        ["UPDATE lease SET granted_ms = granted_ms - 1000 WHERE attempt_id = '$a'"],
        "lease-differs",
    ),
}
