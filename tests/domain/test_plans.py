from __future__ import annotations

import re

from app.domain.plans import PLANS


def test_every_plan_is_there_once_with_steps_in_both_languages():
    assert [plan.plan for plan in PLANS] == ["1", "2", "3", "4.1", "4.2", *map(str, range(5, 13))]
    for plan in PLANS:
        assert len({step.id for step in plan.steps}) == len(plan.steps) >= 5
        for zh, en in (plan.title, *((step.zh, step.en) for step in plan.steps)):
            assert re.search(r"[\u4e00-\u9fff]", zh)
            assert re.fullmatch(r"[ -~]+", en)
    assert [plan.plan for plan in PLANS if plan.sealed] == ["1"]
