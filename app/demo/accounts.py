"""The demo's staff. Fixed passwords on purpose: they sign in nowhere but in a demo, and ``serve`` refuses to start
where they exist."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.roles import Role


@dataclass(frozen=True, slots=True)
class DemoAccount:
    username: str
    name: str
    role: Role
    password: str


ACCOUNTS = (
    DemoAccount("invigilator", "沈知夏", "invigilator", "demo-invigilator"),
    DemoAccount("chief", "陆怀川", "chief", "demo-chief"),
    DemoAccount("office1", "苏望舒", "office", "demo-office1"),
    DemoAccount("office2", "顾明渠", "office", "demo-office2"),
    DemoAccount("auditor", "裴守成", "auditor", "demo-auditor"),
)

ROLE_NAMES: dict[Role, str] = {
    "invigilator": "监考人员 invigilator",
    "chief": "主考 chief",
    "office": "考务办公室 exam office",
    "auditor": "审计 auditor",
}
