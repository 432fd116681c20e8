"""The candidate's pages from the sign-in to the receipt, by mouse and by keyboard, in both languages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Response, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import make_exam, start
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_from_sign_in_to_the_receipt_with_the_mouse_in_chinese(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "MOUSE", candidates=2, starts_in=None)
    sitting = Sitting(pcs(server, "mouse"), exam.people[0])
    person = sitting.person

    page = await sitting.pc.switch_on()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await accessible(page, "sign-in")
    await nothing_scrolls(page)
    await start(record, exam, timedelta(minutes=10))
    await sitting.sign_in(tail="000000")
    await expect(page.get_by_role("alert")).to_contain_text("4")
    await accessible(page, "a refused sign-in")

    await sitting.sign_in()
    await expect(sitting.heading("identity.title")).to_be_visible()
    await expect(page.get_by_text("9900************")).to_be_visible()
    assert person.tail not in await page.locator("body").inner_text()
    await accessible(page, "identity")
    await sitting.confirm()

    await expect(sitting.heading("notice.title")).to_be_visible()
    countdown = page.get_by_role("timer")
    await expect(countdown).to_be_visible()
    await accessible(page, "notice")
    await nothing_scrolls(page)

    # The office starts earlier than it said; the paper opens by itself when the countdown is over.
    await start(record, exam, timedelta(seconds=3))
    await sitting.sees_question(1, within_s=30)
    await accessible(page, "exam")
    for item in person.paper:
        await sitting.go_to(item)
        things = [page.locator("#question-title"), page.locator("#question-stem"), page.locator(".exam-timer")]
        fields = await page.locator(".question input, .question textarea").all()
        await in_view(*things, *[sitting.option(item, option) for option in item.options], *fields)
        await nothing_scrolls(page)
        if item.pictured:
            picture = page.locator(".question img").first
            await expect(picture).to_be_visible()
            await in_view(picture)
            await expect(picture).not_to_have_js_property("naturalWidth", 0)
            await accessible(page, "a question with a picture")

    single, multiple = person.first("single"), person.first("multiple")
    await sitting.give(single, single.options[1])
    await sitting.give(multiple, ["A", "C"])
    await sitting.give(person.first("true_false"), "F")
    await sitting.give(person.first("blank"), ["1000", "9.8"])
    await sitting.give(person.first("text"), "管涌、流土；\n上堵下排。")
    # Changed, and taken back: only the last word counts.
    await sitting.give(single, single.options[0])
    await sitting.give(multiple, ["A", "B"])
    last_single = [item for item in person.paper if item.type == "single"][-1]
    await sitting.give(last_single, "B")
    await sitting.button("exam.clear").click()
    sitting.answers[last_single.item] = None
    await sitting.saved()

    # Marks and the answer card.
    await sitting.go_to(multiple)
    await sitting.button("exam.mark").click()
    await expect(sitting.button("exam.marked")).to_have_attribute("aria-pressed", "true")
    await expect(sitting.cell(multiple.position)).to_have_accessible_name(
        f"{sitting.words['card.item'].replace('{n}', str(multiple.position))}，{sitting.words['card.answered']}，"
        f"{sitting.words['card.marked']}，{sitting.words['card.current']}"
    )
    await sitting.button("exam.next").click()
    await sitting.sees_question(multiple.position + 1)
    await sitting.button("exam.previous").click()
    await sitting.sees_question(multiple.position)

    # Size and contrast change how it looks, and nothing else.
    await page.get_by_role("button", name=sitting.words["look.larger"], exact=True).click()
    await page.get_by_role("button", name=sitting.words["look.contrast"], exact=True).click()
    await accessible(page, "large and high contrast")
    await in_view(page.locator("#question-title"), page.locator(".exam-timer"))
    await page.get_by_role("button", name=sitting.words["look.normal"], exact=True).click()
    await page.get_by_role("button", name=sitting.words["look.contrast"], exact=True).click()

    # What is unanswered is listed, and one click leads back to it.
    await sitting.button("exam.handIn").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await accessible(page, "hand-in")
    open_items = [item for item in person.paper if sitting.answers.get(item.item) is None]
    await expect(dialog.locator(".hand-in-list").first.get_by_role("button")).to_have_count(len(open_items))
    await dialog.locator(".hand-in-list").first.get_by_role("button").first.click()
    await sitting.sees_question(open_items[0].position)
    await sitting.hand_in()

    shown = await sitting.sees_receipt()
    await accessible(page, "receipt")
    stored = await in_record.responses(record, person)
    assert stored == sitting.answers
    receipt = await in_record.receipt(record, person)
    assert receipt["answers_hash"] == shown
    assert receipt["answered"] == len([value for value in sitting.answers.values() if value is not None])
    assert await in_record.marked(record, person) == [multiple.item]

    # Handed in is handed in: a reload shows the receipt, and the next candidate finds an empty sign-in.
    await page.reload()
    await expect(sitting.heading("receipt.title")).to_be_visible()
    await sitting.button("receipt.done").click()
    await expect(page.get_by_label(sitting.words["signIn.ticket"], exact=True)).to_have_value("")


async def test_from_sign_in_to_the_receipt_with_the_keyboard_in_english(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "KEYS", candidates=2)
    sitting = Sitting(pcs(server, "keyboard"), exam.people[0])
    person, keys = sitting.person, None

    page = await sitting.pc.switch_on()
    await page.get_by_role("button", name="Switch to English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    sitting.words = await sitting.pc.words()
    await accessible(page, "sign-in")
    await page.get_by_label(sitting.words["signIn.ticket"], exact=True).focus()
    keys = page.keyboard
    # The hand is on the keyboard from here to the receipt.
    await keys.type(person.ticket.lower())
    await keys.press("Tab")
    await keys.type(person.tail)
    await keys.press("Enter")
    await expect(sitting.heading("identity.title")).to_be_focused()
    await accessible(page, "identity")
    await keys.press("Tab")
    await expect(sitting.button("identity.notMe")).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await sitting.sees_question(1)
    await accessible(page, "exam")

    for item in person.paper:
        await sitting.sees_question(item.position)
        await expect(page.locator("#question-title")).to_be_focused()
        if item.type == "single":
            # By the letter of its row, and once by a digit.
            await keys.press("b" if item.position > 1 else "2")
            sitting.answers[item.item] = item.options[1]
        elif item.type == "multiple":
            await keys.press("a")
            await keys.press("3")
            sitting.answers[item.item] = sorted([item.options[0], item.options[2]])
        elif item.type == "true_false":
            # Walking chooses nothing; Space does.
            await keys.press("ArrowDown")
            await expect(page.locator("[data-option]").first).to_be_focused()
            assert await sitting.shown(item) is None
            await keys.press("ArrowDown")
            await keys.press("Space")
            sitting.answers[item.item] = item.options[1]
        else:
            await keys.press("Tab")
            parts = ["12", "3,4"] if item.type == "blank" else ["Piping, heave; filters."]
            for n, part in enumerate(parts):
                if n:
                    await keys.press("Tab")
                await keys.type(part)
            sitting.answers[item.item] = parts if item.type == "blank" else parts[0]
        assert await sitting.shown(item) == sitting.answers[item.item], f"question {item.position}"
        await keys.press("PageDown")
    await sitting.saved()

    # Back to the first question; M marks; the way to the hand-in is by Tab alone.
    for _ in person.paper:
        await keys.press("PageUp")
    await sitting.sees_question(1)
    await keys.press("m")
    await expect(sitting.button("exam.marked")).to_be_visible()
    await until("Tab reaches the hand-in", lambda: _tab_to(sitting, "exam.handIn"), every=0)
    await keys.press("Enter")
    await expect(sitting.button("handIn.back")).to_be_focused()
    await accessible(page, "hand-in")
    await expect(page.get_by_role("dialog")).to_contain_text(f"All {len(person.paper)} questions are answered.")
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await until("Tab reaches the hand-in", lambda: _tab_to(sitting, "exam.handIn"), every=0)
    await keys.press("Enter")
    await until("Tab reaches the confirmation", lambda: _tab_to(sitting, "handIn.confirm"), every=0)
    await keys.press("Enter")
    await sitting.sees_receipt()
    await accessible(page, "receipt")
    assert await in_record.responses(record, person) == sitting.answers


async def _tab_to(sitting: Sitting, key: str) -> bool:
    await sitting.page.keyboard.press("Tab")
    return bool(await sitting.button(key).evaluate("(button) => button === document.activeElement"))


async def test_nothing_of_the_paper_leaves_before_the_start(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "EARLY", candidates=2, starts_in=timedelta(minutes=10))
    sitting = Sitting(pcs(server, "early"), exam.people[0])
    person = sitting.person
    bodies: list[tuple[str, bytes]] = []
    tokens: list[str] = []

    page = await sitting.pc.switch_on("about:blank")

    async def hear(response: Response) -> None:
        if "/events" not in response.url:
            bodies.append((response.url, await response.body()))

    page.on("response", hear)
    page.on("request", lambda request: tokens.append(request.headers.get("authorization", "")))
    await page.goto("/")
    await sitting.sign_in()
    await sitting.confirm()
    await expect(page.get_by_role("timer")).to_be_visible()
    # Sign-in, resume and a heartbeat have answered; the page has had its chance to ask for more than it may.
    asked = {"/api/v1/candidate/sign-in", "/api/v1/attempt", "/api/v1/attempt/checkpoints"}
    await until(
        "the page has asked", lambda: asked - {one.path for one in sitting.pc.heard}, good=lambda left: not left
    )

    token = next(one for one in tokens if one)
    async with record.connect() as conn:
        media = (await conn.execute(text("SELECT sha256 FROM media"))).scalars().all()
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1/attempt", trust_env=False, timeout=30) as client:
        client.headers["Authorization"] = token
        paths = ["/paper", *[f"/media/{one}" for one in media]]
        refused = [await client.get(path) for path in paths]
    assert [reply.status_code for reply in refused] == [403] * len(paths)
    assert {reply.json()["code"] for reply in refused} == {"not-started"}
    bodies += [(str(reply.url), reply.content) for reply in refused]

    assert len(bodies) > 20, "the page and all its modules were heard"
    for item in person.paper:
        for url, body in bodies:
            assert item.stem.encode() not in body, url
            assert item.stem.encode("unicode-escape") not in body, url
