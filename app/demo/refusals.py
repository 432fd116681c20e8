"""Why the demo does not start: a stable code and one sentence in Chinese and English."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "demo-port-busy": (
        "端口 {port} 不能使用（{reason}）。请换一个端口，例如：holdfast demo --port {other}",
        "Port {port} cannot be used ({reason}). Choose another one, for example: holdfast demo --port {other}",
    ),
    "demo-dir-foreign": (
        "{path} 里有不属于演示考试的文件，未作任何更改。请用 --data-dir 另选一个空目录。",
        "{path} holds files that are not a demo's; nothing was touched. Choose an empty directory with --data-dir.",
    ),
    "demo-dir-unusable": (
        "不能使用目录 {path}：{reason}。请用 --data-dir 另选目录。",
        "The directory {path} cannot be used: {reason}. Choose another one with --data-dir.",
    ),
    "demo-dir-old": (
        "{path} 里的演示考试由另一个版本建立。请加 --fresh 重新开始，或用 --data-dir 另选目录。",
        "The demo in {path} was made by another version. Begin anew with --fresh, or choose another --data-dir.",
    ),
    "demo-too-few-candidates": (
        "演示考试至少需要 {least} 名应考人员。",
        "A demo needs at least {least} candidates.",
    ),
    "demo-not-ready": (
        "考试服务在 {seconds} 秒内没有就绪（{seen}）。日志在 {logs}",
        "The exam server was not ready within {seconds} s ({seen}). Its logs are in {logs}",
    ),
}


class DemoRefused(Exception):  # noqa: N818 -- a refusal is an answer, not an error
    """The demo cannot start or go on; ``code`` is a key of MESSAGES."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return f"{self.text('zh')}\n{self.text('en')}"

    def text(self, language: str) -> str:
        """The sentence in ``zh`` or ``en``, parameters filled in."""
        zh, en = MESSAGES[self.code]
        return (zh if language.startswith("zh") else en).format_map(self.params)
