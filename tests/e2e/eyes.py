"""What every screen has to stand up to: axe, and a screen of 1366 × 768."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page

from tests.e2e.pc import SCREEN

GRAVE = ("serious", "critical")


async def accessible(page: Page, screen: str) -> None:
    """axe finds nothing serious or critical on the screen that is shown."""
    found = await Axe().run(page, options={"resultTypes": ["violations"]})
    grave = [
        f"{one['impact']} {one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:5]}"
        for one in found.response["violations"]
        if one["impact"] in GRAVE
    ]
    assert not grave, f"{screen}:\n" + "\n".join(grave)


async def in_view(*things: Locator) -> None:
    """Each is wholly on the screen as it stands, without scrolling, and nothing lies on top of it."""
    for thing in things:
        box = await thing.bounding_box()
        assert box is not None, f"{thing} is not shown"
        inside = (
            box["x"] >= 0
            and box["y"] >= 0
            and box["x"] + box["width"] <= SCREEN["width"]
            and box["y"] + box["height"] <= SCREEN["height"]
        )
        assert inside, f"{thing} is at {box}, the screen is {SCREEN}"
        covered = await thing.evaluate(
            """(element) => {
              const box = element.getBoundingClientRect();
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return top && (element.contains(top) || top.contains(element)) ? null : top?.outerHTML.slice(0, 120);
            }"""
        )
        assert covered is None, f"{thing} is covered by {covered}"


async def nothing_scrolls(page: Page) -> None:
    """The page itself is not longer or wider than the screen."""
    wider, longer = await page.evaluate(
        "(() => { const root = document.scrollingElement;"
        " return [root.scrollWidth - root.clientWidth, root.scrollHeight - root.clientHeight]; })()"
    )
    assert wider <= 0, f"the page is {wider} px wider than the screen"
    assert longer <= 0, f"the page is {longer} px longer than the screen"
