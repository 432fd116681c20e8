"""A candidate at a PC: what hands and eyes do on the exam's pages, in whatever language they are in.

``answers`` is the history: the value of every item as it was last given here, in the protocol's form. What the record
holds in the end is compared with it.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, Response, expect

from tests.e2e.exam import Item, Person
from tests.e2e.pc import Pc, seconds

LETTERS = "ABCDEFGH"


class Sitting:
    def __init__(self, pc: Pc, person: Person) -> None:
        self.pc, self.person = pc, person
        self.words: dict[str, str] = {}
        self.answers: dict[int, Any] = {}

    @property
    def page(self) -> Page:
        return self.pc.page

    # --- the way in

    async def sign_in(self, *, tail: str | None = None) -> None:
        """Fill in the form and send it; what comes then is for the caller to look at."""
        self.words = await self.pc.words()
        await self.page.get_by_label(self.words["signIn.ticket"], exact=True).fill(self.person.ticket)
        await self.page.locator("input[name=tail]").fill(tail or self.person.tail)
        await self.button("signIn.submit").click()

    async def confirm(self) -> None:
        await expect(self.heading("identity.title")).to_be_visible()
        await expect(self.page.get_by_text(self.person.name, exact=True).first).to_be_visible()
        await self.button("identity.confirm").click()

    async def enter(self, path: str = "/") -> None:
        """From a PC that is off to the first question."""
        await self.pc.switch_on(path)
        await self.sign_in()
        await self.confirm()
        await self.sees_question(1)

    # --- in the exam

    def button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.words[key], exact=True)

    def heading(self, key: str) -> Locator:
        return self.page.get_by_role("heading", name=self.words[key], exact=True)

    async def sees_question(self, position: int, *, within_s: float = 40) -> None:
        shown = self.page.locator("#question-title")
        named = self.words["exam.question"].replace("{n}", str(position))
        await expect(shown).to_contain_text(re.compile(rf"{re.escape(named)}(?!\d)"), timeout=within_s * 1000)

    def cell(self, position: int) -> Locator:
        """The answer card's square of a question."""
        named = self.words["card.item"].replace("{n}", str(position))
        return self.page.locator("aside").get_by_role(
            "button", name=re.compile(rf"^{re.escape(named)}\b|^{re.escape(named)}，")
        )

    async def go_to(self, item: Item) -> None:
        await self.cell(item.position).click()
        await self.sees_question(item.position)

    def option(self, item: Item, option: str) -> Locator:
        return self.page.locator(f'.question [data-option="{option}"]')

    async def give(self, item: Item, value: Any) -> None:
        """Answer with the mouse, and with the keyboard where something is written."""
        await self.go_to(item)
        if item.type in ("single", "true_false"):
            await self.option(item, value).click()
            await expect(self.option(item, value)).to_have_attribute("aria-checked", "true")
        elif item.type == "multiple":
            for option in item.options:
                on = await self.option(item, option).get_attribute("aria-checked") == "true"
                if on != (option in value):
                    await self.option(item, option).click()
        elif item.type == "blank":
            for n, part in enumerate(value, 1):
                await self.page.get_by_label(self.words["exam.blank"].replace("{n}", str(n)), exact=True).fill(part)
        else:
            await self.page.get_by_role("textbox", name=self.words["exam.text"], exact=True).fill(value)
        self.answers[item.item] = value

    async def type_text(self, item: Item, value: str) -> None:
        """Write a text key by key, as people do."""
        await self.go_to(item)
        field = self.page.get_by_role("textbox", name=self.words["exam.text"], exact=True)
        await field.press_sequentially(value, delay=60)
        self.answers[item.item] = await field.input_value()

    async def sees_answers(self, answers: dict[int, Any]) -> None:
        """Every one of ``answers`` (item → value) is on the screen, and nothing else is answered."""
        for item in self.person.paper:
            await self.go_to(item)
            assert await self.shown(item) == answers.get(item.item), f"question {item.position} ({item.type})"

    async def shown(self, item: Item) -> Any:
        """The value on the screen of the question that is open, in the protocol's form."""
        if item.options:
            checked = self.page.locator('.question [data-option][aria-checked="true"]')
            chosen = sorted([str(await one.get_attribute("data-option")) for one in await checked.all()])
            return (chosen or None) if item.type == "multiple" else next(iter(chosen), None)
        if item.type == "blank":
            parts = [await one.input_value() for one in await self.page.locator(".question input").all()]
            return parts if any(parts) else None
        return await self.page.locator(".question textarea").input_value() or None

    async def places(self) -> list[dict[str, float] | None]:
        """Where the stem and the options of the open question are on the screen."""
        things = self.page.locator("#question-stem, .question [data-option]")
        return [await thing.bounding_box() for thing in await things.all()]

    async def saved(self, *, within_s: float = 40) -> None:
        """The page says that everything is in the exam record."""
        # Two frames: the word that is read is one about the key that was pressed last.
        await self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await expect(self.page.locator("[data-save]")).to_have_attribute("data-save", "saved", timeout=within_s * 1000)

    async def on_disk(self) -> None:
        """The page says that whatever it has not delivered is on this PC's disk."""
        await self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await expect(self.page.locator("[data-save]")).to_have_attribute("data-save", "local")

    async def left_s(self) -> int:
        """The timer, in seconds."""
        return seconds(await self.page.locator(".exam-timer-digits").inner_text())

    # --- the way out

    async def hand_in(self) -> None:
        await self.button("exam.handIn").click()
        await self.button("handIn.confirm").click()

    async def sees_receipt(self, *, within_s: float = 40) -> str:
        """The short hash on the receipt."""
        await expect(self.heading("receipt.title")).to_be_visible(timeout=within_s * 1000)
        return (await self.page.locator(".receipt-hash strong").inner_text()).strip()


def replied(path: str) -> Any:
    """Whether a response is a success of the protocol's ``path``."""
    return lambda response: _is(response, path)


def _is(response: Response, path: str) -> bool:
    return response.url.partition("?")[0].endswith(f"/api/v1/attempt/{path}") and response.status == 200
