"""An invigilator at the console: what hands and eyes do there, in whatever language it is in."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.exam import PASSWORD, Exam
from tests.e2e.pc import Pc

# More stops than any of the console's forms has.
TABS = 40


class Desk:
    def __init__(self, pc: Pc, username: str) -> None:
        self.pc, self.username = pc, username
        self.words: dict[str, str] = {}

    @property
    def page(self) -> Page:
        return self.pc.page

    async def enter(self, exam: Exam | None = None) -> None:
        """From a PC that is off to the seat map: one's own room, or the first room of ``exam``."""
        await self.pc.switch_on("/console" + (f"#room={exam.room_id}&session={exam.session_id}" if exam else ""))
        await self.sign_in()
        await expect(self.page.get_by_role("region", name=self.words["map.label"])).to_be_visible()

    async def sign_in(self, password: str = PASSWORD) -> None:
        self.words = await self.pc.words("console")
        await self.page.get_by_label(self.words["signIn.username"], exact=True).fill(self.username)
        await self.page.get_by_label(self.words["signIn.password"], exact=True).fill(password)
        await self.button("signIn.submit").click()

    async def in_the_other_language(self) -> None:
        await self.page.get_by_role("button", name=self.words["look.language"], exact=True).click()
        self.words = await self.pc.words("console")

    def button(self, key: str, **params: str) -> Locator:
        """Its name may go on after these words: the relog button also says where to."""
        words = self.words[key]
        for name, value in params.items():
            words = words.replace(f"{{{name}}}", value)
        return self.page.get_by_role("button", name=re.compile(rf"^{re.escape(words)}"))

    def seat(self, label: str) -> Locator:
        named = self.page.locator(".seat-label", has_text=re.compile(rf"^{re.escape(label)}$"))
        return self.page.locator(".seat").filter(has=named)

    async def sees(self, label: str, kind: str, *, within_s: float = 40) -> None:
        """The seat is drawn as ``kind``, and says so in words too."""
        await expect(self.seat(label)).to_have_attribute("data-kind", kind, timeout=within_s * 1000)
        await expect(self.seat(label)).to_have_accessible_name(re.compile(re.escape(self.words[f"kind.{kind}"])))

    async def open_seat(self, label: str) -> None:
        await self.seat(label).click()
        await expect(self.seat(label)).to_have_attribute("aria-pressed", "true")

    # --- by keyboard

    async def tab_to(self, target: Locator, *, back: bool = False) -> None:
        """On with Tab (or back) until ``target``, which may yet have to come, has the focus."""
        await expect(target).to_be_visible()
        for _ in range(TABS):
            await self.page.keyboard.press("Shift+Tab" if back else "Tab")
            if await target.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"no Tab reaches {target}")

    async def find(self, ticket: str) -> None:
        """The panel of this candidate, from anywhere on the room's page: / and the ticket, Enter."""
        keys = self.page.keyboard
        await keys.press("Escape")
        await expect(self.page.locator("#panel-title")).to_have_count(0)
        await keys.press("/")
        await expect(self.page.get_by_role("searchbox")).to_be_focused()
        await keys.press("Control+a")
        await keys.type(ticket)
        await expect(self.page.locator(".search-found")).to_have_text(re.compile(r"^1\b"))
        await keys.press("Enter")
        await expect(self.page.locator("#panel-title")).to_be_focused()

    async def relog(self, to: str) -> None:
        """Two clicks in the panel that is open: the action, and the confirmation with ``to`` already suggested."""
        await self.button("relog.open").click()
        await self.button("move.confirm", seat=to).click()
        await expect(self.page.get_by_role("region", name=self.words["relog.pending"])).to_contain_text(to)
