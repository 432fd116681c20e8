"""The demo's staff. Fixed passwords on purpose: they sign in nowhere but in a demo, and ``serve`` refuses to start
where they exist."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain import roles
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
    DemoAccount("admin", "叶知秋", "admin", "demo-admin"),
    DemoAccount("auditor", "裴守成", "auditor", "demo-auditor"),
    DemoAccount("inspector", "秦观澜", "inspector", "demo-inspector"),
)

ROLE_NAMES = {role: f"{zh} {en}" for role, (zh, en) in roles.ROLE_NAMES.items()}
