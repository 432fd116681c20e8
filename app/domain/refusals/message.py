"""A refusal's HTTP status and its sentence in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    status: int
    zh: str
    en: str
