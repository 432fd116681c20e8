"""The files of both pages, as a browser is given them."""

from __future__ import annotations

import pytest

from tests.candidates import running


@pytest.mark.parametrize("path", ["/", "/web/candidate/main.js", "/web/shared/base.css", "/web/vendor/preact.js"])
async def test_a_page_file_is_asked_again_by_etag_and_allows_nothing_inline(
    fresh_url: str, redis_url: str, path: str
) -> None:
    async with running(fresh_url, redis_url) as (_app, client):
        url = f"http://test{path}"
        first = await client.get(url)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in first.headers["content-security-policy"]
        assert "unsafe-inline" not in first.headers["content-security-policy"]
        assert first.headers["x-content-type-options"] == "nosniff"
        if path.startswith("/web/"):
            again = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
