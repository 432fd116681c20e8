"""Refusals: incidents, discrepancies, misconduct and their evidence."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    # --- incidents
    "plan-unknown": Message(404, "没有预案 {plan}。", "There is no plan {plan}."),
    "plan-malformed": Message(
        422, "步骤编号重复，或不属于此预案，请刷新后重新编辑。", "A step is there twice or of another plan. Reload."
    ),
    "plan-changed": Message(
        409,
        "{by} 已把预案 {plan} 改为第 {version} 版，没有作任何改动。请刷新后重新编辑。",
        "{by} has made version {version} of plan {plan}, so nothing was changed. Reload and edit that.",
    ),
    "step-unknown": Message(404, "此事件的预案没有步骤“{step}”。", "The incident's plan has no step “{step}”."),
    "step-decided": Message(
        409, "这一步骤已由 {by} 于 {at} 登记，请刷新。", "{by} wrote this step down at {at}. Look again."
    ),
    "entry-empty": Message(422, "没有填写内容。", "There is nothing to write down."),
    "incident-over": Message(
        409,
        "事件 {number} 已由 {by} 于 {at} 关闭或签署；需要更改请先重新打开。",
        "{by} closed or signed incident {number} at {at}. Reopen it first.",
    ),
    "incident-open": Message(409, "事件 {number} 仍未关闭。", "Incident {number} is open."),
    "incident-not-closed": Message(
        409, "事件 {number} 尚未关闭，不能签署。", "Incident {number} is not closed yet, so it cannot be signed."
    ),
    "incident-changed": Message(
        409,
        "您查看之后，{by} 于 {at} 又有登记，没有作任何改动。请重新查看事件 {number} 再确认。",
        "{by} wrote into incident {number} at {at}, after you looked, so nothing was changed. Look again.",
    ),
    # --- discrepancies and corrections
    "discrepancy-malformed": Message(
        422,
        "“{field_zh}”的实际值不成立，请对照证件重新填写。",
        "This cannot be the {field_en}. Compare with the document and type it again.",
    ),
    "discrepancy-same": Message(
        409,
        "“{field_zh}”与编排数据一致，没有不符，请去掉此项。",
        "The {field_en} is what the record says already. Leave this field out.",
    ),
    "discrepancy-open": Message(
        409,
        "{by} 已于 {minutes} 分钟前为 {name} 登记过：{fields_zh}，不必重复登记。",
        "{by} wrote this down for {name} {minutes} min ago already: {fields_en}.",
    ),
    "discrepancy-decided": Message(
        409,
        "{name} 的“{field_zh}”已由 {by} 于 {at} 处理：{state_zh}。没有作任何改动。",
        "{by} has decided on the {field_en} of {name} at {at}: {state_en}. Nothing was changed.",
    ),
    "discrepancy-same-person": Message(
        403,
        "{name} 的信息不符是您本人登记的，更正须由另一人核准。",
        "You wrote down yourself that the data of {name} differ: somebody else approves the correction.",
    ),
    "discrepancy-moved": Message(
        409,
        "{name} 的“{field_zh}”在您查看之后已变为：{now_zh}。没有作任何改动，请重新核对。",
        "The {field_en} of {name} changed since you looked; it is {now_en} now. Nothing was changed; compare again.",
    ),
    "discrepancy-id-taken": Message(
        409,
        "更正后的证件号码与他人相同（准考证号 {tickets}）。没有作任何改动；若两人互换，请一并处理。",
        "The corrected document number is somebody else's (ticket {tickets}). Nothing was changed. If two were"
        " exchanged, decide on both together.",
    ),
    # --- misconduct
    "misconduct-changed": Message(
        409,
        "{by} 于 {at} 又补充了这条登记，没有作任何改动，请看过再操作。",
        "{by} wrote into this record at {at}, after you looked, so nothing was changed. Look again.",
    ),
    "misconduct-removed": Message(
        409,
        "{name} 已由 {by} 令其退场。",
        "{by} has removed {name} from the exam already.",
    ),
    # --- evidence
    "evidence-empty": Message(422, "文件是空的，请重新选择。", "The file is empty. Choose it again."),
    "evidence-type": Message(
        422,
        "只能保存照片（JPEG、PNG、WebP）、PDF 或纯文本文件；此文件不是。",
        "Evidence is a photo (JPEG, PNG, WebP), a PDF or plain text. This file is none of them.",
    ),
    "evidence-full": Message(
        409,
        "本次考试的证据材料已达 {most} 字节的上限，文件没有保存。请告知系统管理员（max_evidence_total_bytes）。",
        "The evidence of this exam has reached its limit of {most} bytes; the file was not kept."
        " Tell an administrator (max_evidence_total_bytes).",
    ),
    "item-position-unknown": Message(
        422,
        "该考生的试卷没有第 {position} 题，共 {count} 题。",
        "There is no question {position} on this candidate's paper; it has {count}.",
    ),
    "item-report-early": Message(
        409, "该考生尚未开考，还没有看到试题。", "The exam has not begun for this candidate: no question has been seen."
    ),
    "photos-missing": Message(404, "找不到 {file}。", "There is no {file}."),
    "photos-not-an-archive": Message(
        422,
        "{file} 不是 .zip 压缩包，或已损坏；请用文件夹或 .zip。",
        "{file} is not a .zip, or is damaged. Give a folder or a .zip.",
    ),
    "photos-encrypted": Message(
        422,
        "{file} 设有密码，请取消密码后重新压缩。",
        "{file} is protected with a password. Pack it again without one.",
    ),
    "photos-too-many": Message(
        422,
        "文件过多或过大（{files} 个）：最多 {most} 个，解压后最多 {gb} GB。请分批导入。",
        "Too many files, or too large ({files} of them): at most {most}, and {gb} GB unpacked. Import them in parts.",
    ),
    "photos-faulty": Message(
        409,
        "有 {n} 个文件不能使用，没有导入任何照片；请改正，或选择跳过这些文件。",
        "{n} files cannot be used, and no photo was imported. Mend them, or choose to skip them.",
    ),
    "photos-under-way": Message(
        409, "正在导入另一批照片，请稍候再试。", "Photos are being imported already. Try again in a while."
    ),
    "evidence-unknown": Message(
        404, "附件不存在，或不是您上传的，请重新上传。", "No such file, or not sent by you. Send it again."
    ),
    "evidence-attached": Message(
        409, "附件已经用于另一条记录，请重新上传。", "The file belongs to a record already. Send it again."
    ),
}
