"""An account from the administrator's page to its owner's first sign-in, and the log that tells of it."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, make_exam
from tests.e2e.eyes import accessible
from tests.e2e.pc import TABLET
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
OWN = "自己选的密码-1234"


async def test_an_account_is_made_handed_over_taken_up_and_found_in_the_log(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "ACCTS", candidates=2)
    admin = f"admin-{secrets.token_hex(3)}"
    fresh = f"shen-{secrets.token_hex(3)}"
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=admin, name="叶知秋", role="admin", password=PASSWORD)
        room = await conn.execute(text("SELECT name FROM room WHERE id = :room"), {"room": exam.room_id})
    desk = Desk(pcs(server, "admin"), admin)
    await desk.pc.switch_on("/console")
    await desk.sign_in()
    page = desk.page
    await desk.button("views.accounts").click()
    await desk.button("accounts.new").click()
    form = page.get_by_role("complementary")
    await form.get_by_label(desk.words["accounts.head.name"], exact=True).fill("沈知夏")
    await form.get_by_label(desk.words["signIn.username"], exact=True).fill(fresh)
    given = await form.locator("input[name=password]").input_value()
    assert re.fullmatch(r"(?:[a-hj-km-np-z02-9]{4}-){2}[a-hj-km-np-z02-9]{4}", given)
    await form.get_by_label(room.scalar_one(), exact=True).last.check()
    await form.get_by_role("button", name=desk.words["accounts.add"], exact=True).click()
    await expect(page.locator(".accounts-password")).to_have_text(given)
    await accessible(page, "an account that was just made")
    await page.get_by_role("button", name=desk.words["accounts.given.done"]).click()
    await expect(page.locator(".accounts-password")).to_have_count(0)

    # Its owner, at another PC: nothing but the form, and then their room.
    owner = Desk(pcs(server, "owner"), fresh)
    await owner.pc.switch_on("/console")
    await owner.sign_in(given)
    await expect(owner.page.get_by_role("heading", name=owner.words["password.first"])).to_be_visible()
    await expect(owner.page.locator("nav")).to_have_count(0)
    await accessible(owner.page, "the first password")
    # A reload is no way around it.
    await owner.page.reload()
    await owner.page.locator("input[name=old]").fill(given)
    await owner.page.locator("input[name=new]").fill(OWN)
    await owner.page.locator("input[name=again]").fill(f"{OWN}x")
    await owner.button("password.submit").click()
    await expect(owner.page.get_by_text(owner.words["password.wrong.differ"])).to_be_visible()
    await expect(owner.page.locator("input[name=again]")).to_be_focused()
    await owner.page.locator("input[name=again]").fill(OWN)
    await owner.page.keyboard.press("Enter")
    await expect(owner.page.get_by_role("region", name=owner.words["map.label"])).to_be_visible()

    # Disabled at the one desk, signed out at the other.
    await page.get_by_label(desk.words["accounts.find"]).fill(fresh)
    await expect(page.locator(".accounts-table tbody tr")).to_have_count(1)
    await desk.button("accounts.disable").click()
    await form.get_by_role("button", name=desk.words["accounts.disable"], exact=True).click()
    await expect(page.locator(".accounts-table tbody tr")).to_contain_text(desk.words["accounts.state.disabled"])
    await expect(owner.page.get_by_text(owner.words["signIn.ended"])).to_be_visible(timeout=60_000)

    await desk.button("views.audit").click()
    await page.get_by_label(desk.words["audit.by.staff"], exact=True).fill(fresh)
    await page.get_by_role("button", name=desk.words["audit.submit"], exact=True).click()
    rows = page.locator(".audit-table tbody tr")
    await expect(rows).to_have_count(4)
    told = [await rows.nth(n).locator("td.audit-action").inner_text() for n in range(4)]
    async with record.connect() as conn:
        found = await conn.execute(
            text("SELECT action FROM audit_entry WHERE subject ->> 'username' = :u OR actor = :u ORDER BY n DESC"),
            {"u": fresh},
        )
        assert list(found.scalars()) == ["staff.disable", "staff.own-password", "staff.sign-in", "staff.add"]
    assert told == ["停用账户", "本人改密码", "登录", "新建账户"]
    await rows.nth(0).get_by_role("button").click()
    await expect(page.locator(".audit-details")).to_contain_text("staff.disable")
    await accessible(page, "the audit log")
    await desk.in_the_other_language()
    await expect(rows.nth(0).locator("td.audit-action")).to_have_text("account disabled")

    # By finger, on a tablet: every target is large enough, and the form fits.
    await page.set_viewport_size(TABLET)
    await large_enough(page)
    await desk.button("views.accounts").click()
    await page.get_by_role("button", name=re.compile(fresh)).click()
    await form.get_by_role("button", name=desk.words["accounts.rooms.change"]).click()
    await large_enough(page)
    await accessible(page, "the rooms of an account on a tablet")


async def large_enough(page: Page) -> None:
    """Every target is 44 px or more, the label of a box to tick with it."""
    small = await page.locator("button:visible, select:visible, input:visible").evaluate_all(
        """(all) => all.map((one) => one.closest('label') ?? one)
          .map((one) => [one.textContent, one.getBoundingClientRect()])
          .filter(([, box]) => box.height < 44 || box.width < 44)
          .map(([text, box]) => `${text} ${box.width}×${box.height}`)"""
    )
    assert small == []
