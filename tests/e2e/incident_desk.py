"""A member of staff at the incident desk: opened from a seat or a room, written into, and printed."""

from __future__ import annotations

from playwright.async_api import FrameLocator, Locator, expect

from tests.e2e.time_desk import TimeDesk


class IncidentDesk(TimeDesk):
    """The console with the incident desk, and all that is left for from there."""

    def tab_of(self, page: str) -> Locator:
        """The tab of one of the console's pages."""
        return self.page.get_by_role("button", name=self.words[f"views.{page}"], exact=True)

    def incidents(self) -> Locator:
        return self.tab_of("incidents")

    def step(self, n: int) -> Locator:
        return self.page.locator(".incident-step").nth(n - 1)

    def entry(self, words: str) -> Locator:
        return self.page.locator(".incident-timeline > li").filter(has_text=words)

    async def write(self, kind: str) -> None:
        await self.page.locator(f".incident-write input[name=write][value={kind}]").check()

    async def turn(self, how: str, note: str = "") -> None:
        await self.page.get_by_role("button", name=self.words[f"incident.turn.{how}"], exact=True).click()
        await self.page.locator(".incident-turn textarea").fill(note)
        await self.page.get_by_role("button", name=self.words[f"incident.turn.{how}.sure"], exact=True).click()

    async def open_incident(self, plan: str, note: str, *, scope: str | None = None) -> None:
        """From the panel that is open, about the seat or the room it is about (or about ``scope``)."""
        await self.button("incident.here").click()
        form = self.page.locator(".incident-draft")
        await form.locator(f"input[name=plan][value='{plan}']").check()
        if scope is not None:
            await form.locator(f"input[name=scope][value={scope}]").check()
        await form.locator("[name=note]").fill(note)
        await form.get_by_role("button", name=self.words["incident.submit"], exact=True).click()
        await expect(self.entry(note).first).to_be_visible()

    async def back_to_incident(self) -> None:
        """The newest one, as it is now."""
        await self.incidents().click()
        await self.page.locator(".incident-row").first.click()
        await expect(self.step(1)).to_be_visible()

    async def tick(self, *steps: int) -> None:
        for n in steps:
            await self.step(n).click()
            await expect(self.step(n)).to_have_attribute("aria-checked", "true")

    async def announce(self, words: str) -> None:
        """To every candidate of the site, from the office's overview."""
        await self.tab_of("hall").click()
        await self.page.get_by_role("button", name=self.words["hall.tab.said"]).click()
        form = self.page.locator(".hall-write")
        await form.locator("textarea").first.fill(words)
        await form.get_by_role("button", name=self.words["hall.say.submit"], exact=True).click()
        await expect(self.page.locator(".hall-said li").first).to_contain_text(words)

    async def paper(self) -> FrameLocator:
        """The report of the incident that is open, as it goes to the printer."""
        await self.button("incident.print").click()
        return self.page.frame_locator(".print-frame")

    async def says(self, *lines: str) -> None:
        """Each stands on the printed report."""
        body = (await self.paper()).locator("body")
        for line in lines:
            await expect(body).to_contain_text(line)
