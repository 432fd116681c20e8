"""The pages of docs/ that are made from the code.

``make docs`` writes them, and test_docs.py fails while one is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import cli
from app.api import access
from app.commands import failures
from app.demo import refusals
from app.domain import errors, lifecycle, roles
from app.domain.roles import ACTION_WORDS
from app.embedded import errors as embedded
from app.importers import messages as faults
from app.main import create_app
from app.reference import setting_rows
from app.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTE = "<!-- Made from the code by `make docs`; change it there. -->"


# Pages for people, one closure for both.
PEOPLE = {"/": "The candidate's page.", "/console": "The staff's page."}


def table(head: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def settings_page() -> str:
    rows = [
        [f"`{row.variable}`", f"`{row.default}`" if row.default else "", row.description]
        for row in setting_rows(Settings.model_construct())
    ]
    return f"""# Settings

{NOTE}

Each is an environment variable or a line of a `.env` file beside the process. Lengths of time are seconds or ISO 8601.
Lists are JSON. `holdfast check` prints what is set, secrets masked, and tests every connection.

{table(["variable", "default", "what it is"], rows)}
"""


def errors_page() -> str:
    answers = [[f"`{code}`", str(m.status), m.zh, m.en] for code, m in sorted(errors.MESSAGES.items())]
    stores = [[f"`{code}`", zh, en] for code, (zh, en) in sorted(embedded.MESSAGES.items())]
    demo = [[f"`{code}`", zh, en] for code, (zh, en) in sorted(refusals.MESSAGES.items())]
    commands = [[f"`{code}`", zh, en] for code, (zh, en) in sorted(failures.MESSAGES.items())]
    files = [
        [f"`{code}`", f"{m.what.zh}。{m.mend.zh}".rstrip("。"), f"{m.what.en}: {m.mend.en}".rstrip(": ")]
        for code, m in sorted(faults.MESSAGES.items())
    ]
    return f"""# Error codes

{NOTE}

A code never changes its meaning. `{{name}}` is filled in.

## Answers of the server

`application/problem+json` (RFC 9457): `status`, `code`, `detail` in the language of the request, `detail_zh`,
`detail_en`, what fills the blanks as fields of their own, and `retry_after` where waiting helps.

{table(["code", "status", "中文", "English"], answers)}

## Faults and notes of an imported file

Each comes with sheet, row, column and value.

{table(["code", "中文", "English"], files)}

## Embedded stores

{table(["code", "中文", "English"], stores)}

## Demo

{table(["code", "中文", "English"], demo)}

## Commands

Any command may also end with a code from the tables above. Exit codes: 1 something checked is not well, 2 refused or
wrongly called, 70 an internal error, 130 Ctrl-C.

{table(["code", "中文", "English"], commands)}
"""


def commands_page() -> str:
    parts = [text for name in cli.AREAS for text in command_parts(cli.load(name), f"holdfast {name}")]
    return f"""# Commands

{NOTE}

{chr(10).join(parts)}"""


def command_parts(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    params = [param for param in command.params if param.name != "help" and not param.hidden]
    usage = command.collect_usage_pieces(command.make_context(path, [], resilient_parsing=True))
    yield f"## `{' '.join([path, *usage])}`\n"
    if command.help:
        yield "\n".join(line.strip() for line in command.help.strip().splitlines()) + "\n"
    rows = [
        [", ".join(f"`{flag}`" for flag in [*param.opts, *param.secondary_opts]), param.help or ""] for param in params
    ]
    if rows:
        yield table(["argument or option", "what it is"], rows) + "\n"
    for name, sub in inner.items():
        yield from command_parts(sub, f"{path} {name}")


def endpoints_page() -> str:
    app = create_app(Settings.model_construct(), database_url="postgresql:///-", redis_url="redis://-/0")
    rows = []
    for route in flat(app.routes):
        methods = sorted((getattr(route, "methods", None) or set()) - {"HEAD"})
        path = str(getattr(route, "path", ""))
        if methods and path != "/openapi.json":
            told = PEOPLE.get(path) or (route.endpoint.__doc__ or "").strip().split("\n\n")[0]
            rows.append([", ".join(methods), f"`{path}`", " ".join(told.split()).replace("``", "`")])
    return f"""# Endpoints

{NOTE}

{table(["method", "path", "what it does"], sorted(rows, key=lambda row: (row[1], row[0])))}
"""


def roles_page() -> str:
    """Who may do what, from the table, and which action each endpoint asks for, from the routes."""
    reach = {"own": "own rooms", "all": "all", None: ""}
    who = [
        [f"`{action}`", *ACTION_WORDS[action], *(reach[roles.scope(role, action)] for role in roles.ROLES)]
        for action in roles.ACTIONS
    ]
    app = create_app(Settings.model_construct(), database_url="postgresql:///-", redis_url="redis://-/0")
    calls = []
    for route in flat(app.routes):
        if route.path.startswith("/api/v1/staff"):
            asked = access.declared(route)
            allowed = "everyone" if asked is None else ", ".join(r for r in roles.ROLES if asked.admits(r))
            if asked is not None and not asked.actions:
                allowed = "whoever is signed in"
            actions = ", ".join(f"`{action}`" for action in asked.actions) if asked is not None else ""
            calls.append([", ".join(sorted(route.methods)), f"`{route.path}`", actions, allowed])
    heads = [f"{zh} {en}" for zh, en in roles.ROLE_NAMES.values()]
    return f"""# Roles

{NOTE}

"Own rooms" are those an account is assigned to; "all" is every room of every exam; an empty cell is refused with
`not-permitted`, which is also what a room outside one's own is refused with, and both are logged with the person. An
account whose password somebody else chose is refused everything with `password-must-change`, until it has chosen one.

Of misconduct, "own rooms" reads what one wrote oneself.

{table(["action", "中文", "English", *heads], who)}

## What each call asks for

Where several are named, any one of them lets in, and what then can be done depends on which. A call that takes no room
is refused further on when what it is about lies in somebody else's room.

{table(["method", "path", "action", "who"], sorted(calls, key=lambda row: (row[1], row[0])))}
"""


def lifecycle_page() -> str:
    rows = [[f"`{state}`", f"`{event}`", f"`{after}`"] for (state, event), after in lifecycle.TRANSITIONS.items()]
    return f"""# The life of an attempt

{NOTE}

One candidate in one session. Only what the clock cannot tell is stored (`open`, `ended`, `final`); `scheduled`,
`waiting`, `running` and `paused` follow from the sign-in, from service time and from the ledger of time, so 1,880
attempts start in the same second without a row being written.

```mermaid
{lifecycle.mermaid()}
```

{table(["state", "event", "state after"], rows)}

- `ended`: nothing new counts. What was typed before the end and comes late is still taken, for the grace of the session
  (180 s unless the session says otherwise), and for a device that was silent at the end until half a minute after it is
  heard again, or until the office finalises the session.
- `final`: the device is fenced and the receipt is written. Hand-in goes through both steps in one request; the
  end of the time leaves the second one to the sweeper, or to `holdfast session finalise` for those who never came back.
- An attempt with an open relog is not timed out: its gap, and with it its end, is not yet known.
- `paused`: the clock stands, and no end is known until it goes on. Several pauses may hold an attempt (its room's, the
  whole site's); it runs again when none does. A pause that began before the start shows from the start on.
- `reopen`: an extension or a credit opens an attempt whose time was up, on the same device and without a word to the
  candidate but the notice. One that was handed in is opened only by the office's own decision (误交卷). The time since
  the end is given back, and counts to the 60 minutes.
- `defer` (缓考) closes the attempt with everything in it kept. It is never opened again; the candidate can be allocated
  to a later session with a paper they have not seen.
"""


def flat(routes: Any) -> Iterator[Any]:
    """The routes themselves, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and not hasattr(route, "endpoint"):
            yield from flat(inner.routes)
        elif hasattr(route, "endpoint"):
            yield route


PAGES = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "commands.md": commands_page,
    "endpoints.md": endpoints_page,
    "lifecycle.md": lifecycle_page,
    "roles.md": roles_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
