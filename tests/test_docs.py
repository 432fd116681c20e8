"""The documents against the code they speak of."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from app import cli
from app.settings import Settings
from tests import docs

CHECKOUT = docs.DOCS.parent
WRITTEN = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *sorted(docs.DOCS.rglob("*.md"))]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):.*## ", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))


def code_in(markdown: str) -> str:
    """The code of a document, inline and in blocks, one piece a line."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", markdown)])


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    written = (docs.DOCS / name).read_text(encoding="utf-8")
    assert written == docs.PAGES[name](), f"docs/{name} is out of date: run make docs"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_command_a_document_names_exists(path: Path) -> None:
    text = code_in(path.read_text(encoding="utf-8"))
    named = set(re.findall(r"^(?:\$ )?make ([a-z][a-z0-9-]*)", text, flags=re.MULTILINE))
    assert named <= make_targets(), f"{path.name}: no such target: {sorted(named - make_targets())}"
    called = set(re.findall(r"^(?:\$ )?(?:\.venv/bin/)?holdfast ([a-z]+)", text, flags=re.MULTILINE))
    assert called <= set(cli.AREAS), f"{path.name}: no such command: {sorted(called - set(cli.AREAS))}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_setting_a_document_names_exists(path: Path) -> None:
    known = {f"HOLDFAST_{name.upper()}" for name in Settings.model_fields} | {"HOLDFAST_CHROMIUM"}
    named = set(re.findall(r"\bHOLDFAST_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert named <= known, f"{path.name}: no such setting: {sorted(named - known)}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_link_inside_the_documents_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == [], f"{path.name}: {missing}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_json_example_is_json(path: Path) -> None:
    for example in re.findall(r"^```json\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL):
        json.loads(example)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_metric_a_document_names_exists(path: Path) -> None:
    known = {name for family in REGISTRY.collect() for name in (family.name, *(one.name for one in family.samples))}
    known |= {f"{family.name}_total" for family in REGISTRY.collect() if family.type == "counter"}
    named = set(re.findall(r"\bholdfast_[a-z_]+\b", path.read_text(encoding="utf-8")))
    assert named <= known, f"{path.name}: no such metric: {sorted(named - known)}"


def test_the_readme_tells_the_two_commands() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def test_make_alone_lists_every_command() -> None:
    env = {"PATH": os.defpath}
    listed = subprocess.run(["make"], cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z0-9-]+) ", listed, flags=re.MULTILINE)) == make_targets()
    assert {"setup", "demo", "check", "test", "e2e", "bench"} <= make_targets()


def test_every_setting_is_explained() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_endpoint_says_what_it_does() -> None:
    rows = [line for line in docs.endpoints_page().splitlines() if line.startswith(("| GET", "| POST"))]
    assert len(rows) > 20
    assert [row for row in rows if re.search(r"\|\s*\|$", row)] == []


def test_the_lock_names_no_host() -> None:
    for name in ("requirements.lock", "package-lock.json"):
        found = re.findall(r"https?://[^\s\"']+|\bindex-url\b|\bfind-links\b", (CHECKOUT / name).read_text())
        hosts = [url for url in found if not url.startswith(("https://opencollective.com", "https://github.com"))]
        assert hosts == [], f"{name}: {hosts[:3]}"


def test_every_locked_package_has_its_hashes() -> None:
    lines = (CHECKOUT / "requirements.lock").read_text().splitlines()
    pinned = [index for index, line in enumerate(lines) if re.match(r"^[a-z0-9]", line)]
    assert len(pinned) > 50
    assert [lines[index] for index in pinned if "--hash=sha256:" not in lines[index + 1]] == []
