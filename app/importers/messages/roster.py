"""What can be wrong in a roster."""

from __future__ import annotations

from app.importers.messages.words import Message, m

ROSTER: dict[str, Message] = {
    "bad-ticket": m(
        "准考证号只能由字母、数字和“-”组成，最多 32 位",
        "A ticket has letters, digits and “-” only, 32 at most",
        "请对照准考证改正",
        "correct it from the admission ticket",
    ),
    "duplicate-ticket": m(
        "准考证号与第 {row} 行{sheet}重复",
        "The same ticket stands on row {row}{sheet_en}",
        "每位应考人员一个准考证号，请改正其中一行",
        "every candidate has one ticket: correct one of the rows",
    ),
    "duplicate-id-number": m(
        "证件号码与第 {row} 行{sheet}重复",
        "The same ID number stands on row {row}{sheet_en}",
        "请对照证件核对两行，改正或删去一行",
        "check both rows against the documents; correct or remove one",
    ),
    "id-length": m(
        "居民身份证号应为 18 位，这里是 {length} 位",
        "A resident ID number has 18 characters, this has {length}",
        "请对照证件补全；不是居民身份证的，请加“证件类型”列说明",
        "complete it from the document; for another document add the column 证件类型",
    ),
    "id-form": m(
        "居民身份证号应为 17 位数字加 1 位数字或 X",
        "A resident ID number is 17 digits and a digit or X",
        "请对照证件改正；不是居民身份证的，请加“证件类型”列说明",
        "correct it from the document; for another document add the column 证件类型",
    ),
    "id-date": m(
        "身份证号第 7–14 位不是真实的出生日期",
        "Characters 7–14 of the ID number are not a date of birth",
        "请对照证件核对",
        "check it against the document",
    ),
    "id-check-digit": m(
        "身份证号的校验码不对，至少有一位写错",
        "The ID number's check digit does not fit: at least one character is wrong",
        "请对照证件逐位核对，不要只改最后一位",
        "check every character against the document, not just the last",
    ),
    "id-too-short": m(
        "证件号码少于 6 位字母或数字，无法用后六位登录",
        "The document number has fewer than 6 letters or digits; the candidate could not sign in with its last six",
        "请对照证件补全",
        "complete it from the document",
    ),
    "id-characters": m(
        "证件号码里有不应出现的字符，或超过 30 位",
        "The document number holds characters it cannot have, or more than 30",
        "请对照证件改正",
        "correct it from the document",
    ),
    "unknown-id-kind": m(
        "不认得的证件类型",
        "This kind of document is not known",
        "可填：{known}",
        "write one of: {known}",
    ),
    "unknown-gender": m(
        "性别只能是男或女", "Gender is 男 or 女", "请改为男或女，或留空", "write 男 or 女, or leave it empty"
    ),
    "unknown-room": m(
        "“考室”表里没有这个考室",
        "There is no such room on the sheet 考室",
        "{hint_zh}",
        "{hint_en}",
    ),
    "seat-not-a-number": m(
        "座位号应是数字，备用机位写作“备1”",
        "A seat is a number; a spare seat is written 备1",
        "请填 1 到 {seats}，或备1到备{spares}",
        "write 1 to {seats}, or 备1 to 备{spares}",
    ),
    "seat-not-positive": m(
        "座位号小于 1",
        "The seat number is below 1",
        "请填 1 到 {seats}",
        "write 1 to {seats}",
    ),
    "seat-beyond-room": m(
        "座位号超出考室的机位数（{room} 有 {seats} 个机位）",
        "The seat number is beyond the room's size ({room} has {seats} seats)",
        "请改座位号，或在“考室”表里改正式机位数",
        "correct the seat, or the number of seats on the sheet 考室",
    ),
    "spare-beyond-room": m(
        "备用机位号超出考室的备用机位数（{room} 有 {spares} 个）",
        "The spare seat is beyond what the room has ({room} has {spares})",
        "请改座位号，或在“考室”表里改备用机位数",
        "correct the seat, or the number of spare seats on the sheet 考室",
    ),
    "duplicate-seat": m(
        "同一考室、座位、场次（第 {session} 场）已在第 {row} 行{sheet}编给别人",
        "Row {row}{sheet_en} has the same room, seat and session ({session})",
        "请改正其中一行的考室或座位号",
        "correct the room or the seat on one of the rows",
    ),
    "unknown-session": m(
        "“场次”表里没有第 {session} 场",
        "There is no session {session} on the sheet 场次",
        "可填：{known}",
        "write one or more of: {known}",
    ),
    "repeated-session": m(
        "同一场次写了两次", "The same session is named twice", "请删去重复的场次", "remove the repetition"
    ),
    "overlapping-sessions": m(
        "第 {session} 场与第 {other} 场时间重叠，却有 {count} 名应考人员两场都参加",
        "Sessions {session} and {other} overlap in time, yet {count} candidates sit both",
        "请改正场次时间，或改正编排",
        "correct the times of the sessions, or the allocations",
    ),
    "extra-overlaps": m(
        "加时后第 {first} 场要到 {until} 才结束，与第 {second} 场（{start} 开始）重叠",
        "With the extra time session {first} runs until {until}, into session {second} (from {start})",
        "请减少加时，或改正场次时间",
        "reduce the extra time, or correct the times of the sessions",
    ),
    "overlapping-seats": m(
        "第 {session} 场与第 {other} 场时间重叠，却有 {count} 个机位两场编给不同的人",
        "Sessions {session} and {other} overlap in time, yet {count} seats are given to different people",
        "请改正场次时间，或改正编排",
        "correct the times of the sessions, or the allocations",
    ),
    "duplicate-room": m(
        "考室与第 {row} 行重复", "The same room stands on row {row}", "请删去或改名", "remove or rename one"
    ),
    "duplicate-session": m(
        "场次与第 {row} 行重复", "The same session stands on row {row}", "请改正场次号", "correct the number"
    ),
    "bad-time": m(
        "不是日期和时间",
        "This is not a date and time",
        "请写成 2024-07-20 08:30",
        "write it as 2024-07-20 08:30",
    ),
    "end-before-start": m(
        "结束时间不晚于开始时间", "The end is not after the start", "请改正时间", "correct the times"
    ),
    "duration-differs": m(
        "时长 {minutes} 分钟与开始、结束时间之差（{between} 分钟）不符",
        "The length ({minutes} min) is not the time between start and end ({between} min)",
        "请改正时长或时间",
        "correct the length or the times",
    ),
    "no-duration": m(
        "结束时间和时长都没有填写", "Neither end nor length is given", "请填写其中一个", "give one of them"
    ),
    "session-too-long": m(
        "一场超过 {hours} 小时", "One session is longer than {hours} h", "请核对日期和时间", "check date and time"
    ),
}
