"""The office at the console's timing desk: what hands and eyes do there."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.e2e.desk import Desk

PATIENT_MS = 60_000


class TimeDesk(Desk):
    """The console with the exam's time open."""

    async def open_time(self, room_id: int, session_id: int) -> None:
        await self.pc.switch_on(f"/console#room={room_id}&session={session_id}")
        await self.sign_in()
        await expect(self.page.get_by_role("region", name=self.words["map.label"])).to_be_visible(timeout=PATIENT_MS)
        await self.open_timing()

    async def open_timing(self) -> None:
        """From wherever the console is."""
        await self.page.get_by_role("button", name=self.words["timing.link"], exact=True).click()
        await expect(self.page.locator(".timeline")).to_be_visible(timeout=PATIENT_MS)

    def tab(self, key: str) -> Locator:
        return self.page.get_by_role("tab", name=re.compile(rf"^{re.escape(self.words[f'timing.tab.{key}'])}"))

    async def choose(self, name: str, value: str) -> None:
        await self.page.locator(f".decide input[name={name}][value={value}]").check()

    def field(self, name: str) -> Locator:
        return self.page.locator(f".decide [name={name}]")

    def line(self, room: str) -> Locator:
        """The line of the picture that begins with this room."""
        return self.page.locator(".timeline-line").filter(has_text=re.compile(rf"^\s*{re.escape(room)}"))

    async def look(self) -> Locator:
        """The effect of what was put together."""
        await self.button("timing.look").click()
        effect = self.page.locator(".effect")
        await expect(effect).to_be_visible(timeout=PATIENT_MS)
        return effect

    async def confirm(self) -> None:
        await self.page.locator(".effect .button-large").first.click()
        await expect(self.page.locator(".timing-told p")).to_be_visible(timeout=PATIENT_MS)
        await expect(self.page.locator(".effect")).to_have_count(0)

    async def resume_room(self) -> None:
        await self.button("timing.resume").click()
        await expect(self.page.locator(".effect")).to_be_visible(timeout=PATIENT_MS)
        await self.confirm()
