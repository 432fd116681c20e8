"""Writes what a results file says into docs/reliability.md, between its two marks.

python -m failover.report                       from docs/reliability.jsonl
python -m failover.report FILE                  from another results file of ``make faults ARGS='--append FILE'``
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from failover.hall import ROOT
from failover.invariants import KINDS, summary
from failover.run import recorded

PAGE = ROOT / "docs/reliability.md"
RESULTS = ROOT / "docs/reliability.jsonl"
BEGIN, END = "<!-- results: written by python -m failover.report -->", "<!-- end of results -->"
TARGETS = ("api", "worker", "server", "postgres", "backend", "redis", "everything")
WHAT = {
    "kill": "`kill -9`",
    "freeze": "`SIGSTOP`, later `SIGCONT`",
    "reset": "line reset (RST)",
    "refuse": "line refuses",
    "drop": "line drops silently",
    "stall": "line stalls, then delivers",
    "delay": "line is slow",
    "clock": "wall clock jumps",
    "takeovers": "storm of takeovers",
}


def section(results: Sequence[dict[str, Any]]) -> str:
    """The generated part, marks included."""
    faults: Counter[tuple[str, str]] = Counter()
    acks: Counter[str] = Counter()
    for one in results:
        acks.update(one["acks"])
        for fault in one["faults"]:
            kind, _, target = fault.partition("@")[0].partition(":")
            faults[kind, "" if kind == "takeovers" else target.partition(":")[0]] += 1
    failed = [one for one in results if not one["ok"]]
    counts = " ".join(f"{kind}={sum(one.get(kind, 0) for one in results)}" for kind in KINDS)
    minutes = sum(one["load_s"] for one in results) / 60
    said = f"{len(results)} schedules, {len(failed)} failed"
    made = f"{said}; {sum(faults.values())} faults in {minutes:.0f} minutes of load"
    lines = [
        BEGIN,
        f"**{made}.**",
        "",
        f"Acknowledgements of single responses, and requests that had none: `{summary(acks)}`.",
        "",
        f"`{counts}`",
        "",
        "| fault | " + " | ".join(TARGETS) + " |",
        "| --- |" + " ---: |" * len(TARGETS),
    ]
    for kind, words in WHAT.items():
        if kind != "takeovers":
            numbers = [str(faults[kind, target] or "") for target in TARGETS]
            lines.append(f"| {words} | " + " | ".join(numbers) + " |")
    lines += ["", f"Storms of takeovers: {faults['takeovers', '']}."]
    if failed:
        lines += ["", "| failed seed | faults | what was found |", "| ---: | --- | --- |"]
        for one in failed:
            found = "; ".join([*one["violations"], *one["unsettled"]][:3]).replace("|", "\\|")
            lines.append(f"| {one['seed']} | {' '.join(one['faults'])} | {found} |")
    return "\n".join([*lines, END])


def written(page: str, results: Sequence[dict[str, Any]]) -> str:
    """The page with its generated part made anew."""
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError("the page has no place for results")
    return before + section(results) + after


def main(arguments: Sequence[str]) -> int:
    results = recorded(Path(arguments[0]) if arguments else RESULTS)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(f"{len(results)} schedules written to {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
