"""The shape of a message: what it is, and how to mend it, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str

    def filled(self, **params: object) -> Words:
        return Words(self.zh.format_map(params), self.en.format_map(params))


@dataclass(frozen=True, slots=True)
class Message:
    what: Words
    mend: Words


def m(zh: str, en: str, mend_zh: str = "", mend_en: str = "") -> Message:
    """What is wrong in both languages, then how to mend it in both (a note needs no mending)."""
    return Message(Words(zh, en), Words(mend_zh, mend_en))
