"""What can be refused, and in which words.

One exception, one table. A refusal is an answer, not a failure: it has a stable code, an HTTP status, and a sentence
in Chinese and English that says what to do next. ``{name}`` in a sentence is filled from the refusal's parameters. The
sentences themselves are in ``refusals``, an area each.
"""

from __future__ import annotations

from app.domain.refusals import AREAS
from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {code: message for area in AREAS for code, message in area.items()}


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not an error
    """The request was understood and is not carried out; ``code`` is a key of MESSAGES."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The sentence in ``zh`` or ``en``, parameters filled in."""
        message = MESSAGES[self.code]
        template = message.zh if language.startswith("zh") else message.en
        return template.format_map(self.params)


class ClockUnconfirmed(Exception):  # noqa: N818 -- DESIGN §5: past the confirmed value nobody may count
    """The service clock has not been confirmed for more than a second; nothing may be stamped."""
