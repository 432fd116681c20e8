"""What goes into the audit log has a name that people understand: an action that is added is added to the table too."""

from __future__ import annotations

import ast
from pathlib import Path

from app.domain import adjustments
from app.domain.audit_words import ACTIONS, AREAS, words

APP = Path(__file__).resolve().parents[2] / "app"
# Dotted like an action, and none: what a request is told apart by from another under the same key.
REQUESTS = {"time.decision", "time.propose"}


def written() -> set[str]:
    """Every literal in the services that is dotted like an action of a known area."""
    found = set()
    for path in (APP / "services").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                area, dot, rest = node.value.partition(".")
                if dot and area in AREAS and rest and rest.replace("-", "").replace(".", "").isalpha():
                    found.add(node.value)
    return found - REQUESTS


def test_every_action_of_the_services_has_its_words():
    found = written()
    assert len(found) > 30
    assert sorted(found - set(ACTIONS)) == []


def test_every_kind_of_change_of_time_has_its_words():
    assert {f"time.{kind}" for kind in adjustments.KINDS} <= set(ACTIONS)


def test_every_action_belongs_to_an_area():
    assert [action for action in ACTIONS if action.partition(".")[0] not in AREAS] == []


def test_an_action_without_words_is_called_by_what_is_known_of_it():
    assert words("relog.lost") == ("换机登录：lost", "relogs: lost")
    assert words("unheard") == ("unheard", "unheard")
