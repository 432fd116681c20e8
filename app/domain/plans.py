"""The twelve contingency plans as they are shipped: what a hall does, step by step, in Chinese and English.

Plan 4 comes twice: a faulty item that does not affect the whole (4.1), and one that does (4.2). The office edits the
steps of its exam without code, and every edit is a new version; what stands here is each exam's version 1. A step's id
never changes its meaning: what was ticked under it stays true.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """``id`` is stable within its plan."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``sealed``: an incident under it begins confidential."""

    plan: str
    title: Words
    steps: tuple[Step, ...]
    sealed: bool = False


def _steps(*lines: tuple[str, str, str]) -> tuple[Step, ...]:
    return tuple(Step(*line) for line in lines)


PLANS: tuple[Plan, ...] = (
    Plan("1", ("集体舞弊", "Organised cheating"), _steps(
        ("report", "立即报告考务办公室，在场人员不对外谈论", "Report to the exam office at once; nobody present talks about it"),
        ("people", "逐人登记涉及的应考人员，按考室清点人数", "Write down each candidate involved and count them room by room"),
        ("facts", "记录所见事实：时间、地点、手段、两名工作人员姓名", "Record the facts seen: when, where, how, and two staff by name"),
        ("evidence", "保全证据：拍照、封存物品，上传存档", "Protect the evidence: take photos, seal objects, upload"),
        ("told", "告知本人已被记录，由本人签字；拒签的写明", "Tell each one that it is recorded; have them sign, or note the refusal"),
        ("upward", "办公室逐级上报，记录何时报给何人", "The office reports upward; record whom and when"),
        ("after", "考后核对答卷雷同情况，只作线索，不作定论", "After the exam screen for alike answers: a lead, never a proof"),
    ), sealed=True),
    Plan("2", ("闹事、损坏设施", "Disturbance or damage"), _steps(
        ("calm", "稳定考室秩序，将当事人劝离座位区", "Calm the room and lead those concerned away from the seats"),
        ("office", "报告考务办公室，请求增派人员", "Report to the exam office and ask for more staff"),
        ("pause", "影响作答时暂停本考室，屏幕同时遮蔽", "Where nobody can work, pause the room; its screens are blanked"),
        ("staff", "因监考言行引起的，当场更换监考人员", "Where an invigilator's conduct caused it, replace them on the spot"),
        ("police", "为首者不听劝阻的，联系保卫或公安", "Call security or the police for ringleaders who do not listen"),
        ("damage", "清点损坏的设备并拍照，换机的办理换机", "List and photograph damaged equipment; move whoever lost a PC"),
        ("resume", "秩序恢复后继续考试，核对所补时间", "Go on when it is quiet and check the time given back"),
    )),
    Plan("3", ("信息不符", "Data that disagree"), _steps(
        ("identity", "查验证件与本人，确认是应考人员本人", "Check document and person: make sure it is the candidate"),
        ("admit", "身份确认后先行入场作答，不耽误开考", "Once identity is sure let them sit first; do not delay them"),
        ("fields", "登记哪几项不符：原记录与本人所称各是什么", "Write down which fields disagree: what is recorded, what is claimed"),
        ("copies", "留存身份证件、准考证影像和现场照片", "Keep copies of ID and ticket, and a photo taken on the spot"),
        ("told", "告知本人考后由办公室统一核改", "Tell the candidate that the office corrects it after the exam"),
        ("correct", "考后办公室逐项核对并作出更正或维持的决定", "After the exam the office decides on every field"),
    )),
    Plan("4.1", ("试题错误（不影响全体）", "Faulty item, the exam goes on"), _steps(
        ("confirm", "监考人员核实应考人员指出的题目", "An invigilator confirms what the candidate points out"),
        ("others", "请应考人员继续作答其他题目", "The candidate goes on with the other items"),
        ("report", "将题号和错误情况报考务办公室", "Report the item and its fault to the exam office"),
        ("drawn", "办公室取得抽中该题的全部人员名单", "The office lists everybody who drew the item"),
        ("decide", "考后复核题目，按政策决定赋分", "After the exam verify the item and decide on the award"),
        ("rescore", "重新计分，留存前后对照", "Rescore and keep both results"),
    )),
    Plan("4.2", ("试题错误（影响全体）", "Faulty items that affect the whole"), _steps(
        ("report", "立即报告考务办公室和命题负责人", "Report at once to the exam office and whoever answers for the bank"),
        ("hold", "决定作出之前暂停受影响的范围", "Pause those affected until it is decided"),
        ("decide", "办公室决定：调换轮次、顺延，或缓考", "The office decides: swap rounds, postpone or extend, or defer"),
        ("second", "超过 60 分钟的，由第二人批准并记录文号", "Beyond 60 minutes a second person approves, with its number"),
        ("announce", "向全体应考人员说明安排，确认各考室已收到", "Tell all candidates what follows; check that every room has it"),
        ("record", "保存决定、名单和通知时间", "Keep the decision, the list and the time of the announcement"),
    )),
    Plan("5", ("火警、易燃易爆物品", "Fire or dangerous goods"), _steps(
        ("pause", "按受影响范围一键暂停，屏幕遮蔽", "Pause what is affected in one press; screens are blanked"),
        ("evacuate", "组织撤离，远离危险区域，不带走考试材料", "Lead people out and away; no exam material leaves"),
        ("call", "报警并报告上级，记录时间和接报人", "Call the fire service and report upward; record when and to whom"),
        ("roll", "在集合点按名单清点人数，查找未到者", "Call the roll at the meeting point and look for whoever is missing"),
        ("close", "封闭现场，配合排查", "Close the site and help the search"),
        ("return", "确认安全后返回，逐室点名入座", "When it is declared safe go back and call the roll by room"),
        ("resume", "全部就座后恢复考试，核对剩余时间", "Go on when all are seated; check the time that remains"),
    )),
    Plan("6", ("雷击、停电", "Lightning or power cut"), _steps(
        ("safe", "安抚应考人员，原位等候，不触碰设备", "Keep candidates calm and seated, away from the equipment"),
        ("scope", "查明停电范围和预计恢复时间", "Find out how far it reaches and how long it may last"),
        ("start", "来电后先启动数据库和考试服务，再启动考室设备", "With the power back start database and service first, rooms after"),
        ("check", "核对已保存的答案与每人剩余时间", "Check the saved answers and everybody's remaining time"),
        ("equal", "开考与结束同等顺延，合计不超过 60 分钟", "Move start and end alike, 60 minutes in all at most"),
        ("copy", "确认另一块磁盘上的备份完好；没有备份立即上报", "Make sure the copy on the other disk is good; without one report at once"),
        ("equipment", "登记损坏的设备并停用", "List damaged equipment and put it out of order"),
    )),
    Plan("7", ("大部分应考人员无法考试", "Most candidates cannot go on"), _steps(
        ("see", "核实系统提示的范围与现场是否一致", "Compare what the system noticed with the rooms themselves"),
        ("cause", "技术人员判断原因和恢复时间", "Technicians find the cause and say how long"),
        ("postpone", "60 分钟以内：开考与结束同等顺延", "Up to 60 minutes: postpone start and end alike"),
        ("decide", "超过 60 分钟：办公室决定调换轮次、顺延或缓考", "Longer: the office decides to swap rounds, go on later, or defer"),
        ("announce", "统一告知各考室，应考人员不得离场", "Tell every room the same; candidates stay"),
        ("record", "记录起止时间、涉及考室和人数", "Record from when to when, which rooms, how many people"),
    )),
    Plan("8", ("服务器故障、局域网中断", "Server or network failure"), _steps(
        ("work", "告知考室：页面未提示前继续作答，不要关闭页面", "Tell the rooms: keep working, close nothing unless the page says so"),
        ("standby", "确认备用服务器已接替；没有接替的手动启用", "See that the standby has taken over; if not, start it by hand"),
        ("network", "检查交换机和线路，隔离故障段", "Check switches and lines; isolate the faulty part"),
        ("back", "核对各考室恢复连接的人数，找出仍离线的机位", "Count who is back room by room; find the seats still offline"),
        ("time", "核对服务中断时间已自动计还，需要时补时", "Check that the outage was given back by itself; credit where needed"),
        ("answers", "抽查答案已保存，处理搁置的答案", "Spot-check saved answers and deal with those kept aside"),
    )),
    Plan("9", ("个别应考人员无法开考", "One candidate's PC will not run"), _steps(
        ("look", "排除插头、显示器、键盘等简单原因", "Rule out plug, screen and keyboard"),
        ("spare", "安排到备用机位；本室用完的到最近考室", "Give a spare seat; with none left, one in the nearest room"),
        ("sign-in", "看到本人登录并核对姓名、准考证号", "See them sign in; compare name and ticket"),
        ("mark", "停用故障机位并写明原因", "Put the failed PC out of order with the reason"),
        ("time", "耽误的时间据实补给", "Give back the time lost"),
    )),
    Plan("10", ("单台计算机中途故障", "One PC dies during the exam"), _steps(
        ("judge", "监考人员判断：能否立即恢复", "The invigilator judges whether it comes back at once"),
        ("move", "不能恢复的立即换到备用机位", "If not, move to a spare seat at once"),
        ("restored", "登录后请本人确认答案和剩余时间已恢复", "After signing in the candidate confirms answers and time"),
        ("gap", "核对系统计还的时间", "Check the time given back by the system"),
        ("mark", "停用故障机位并写明原因", "Put the failed PC out of order with the reason"),
    )),
    Plan("11", ("个别考室停电", "One room loses power"), _steps(
        ("report", "报告考务办公室，说明考室和时间", "Report room and time to the exam office"),
        ("pause", "暂停该考室，应考人员原位等候、不得交谈", "Pause the room; candidates stay seated and silent"),
        ("power", "启用备用电源或修复线路", "Switch to spare power or repair the line"),
        ("back", "来电后逐台确认登录恢复，坏机换备用机位", "With power back check every PC; move whoever's is broken"),
        ("extend", "按实际中断时间补足，合计不超过 60 分钟", "Give back what was lost, 60 minutes in all at most"),
        ("ask", "预计超过 60 分钟的，请示后决定", "If it will be longer, ask and have it decided"),
    )),
    Plan("12", ("中暑、突发疾病", "Heat illness or sudden illness"), _steps(
        ("aid", "移到阴凉通风处，降温、补水", "Move to the shade; cool and give fluids"),
        ("doctor", "通知医务人员，严重的送医院", "Call medical staff; if serious, to hospital"),
        ("clock", "暂停本人计时，办公室可复核", "Pause this candidate's clock; the office can review it"),
        ("watch", "离场期间由一名工作人员陪同", "A member of staff stays with them while they are out"),
        ("return", "能继续的返回作答，核对剩余时间", "If they can go on, they return; check the time that remains"),
        ("leave", "不能继续的，记录离场时间和去向", "If they cannot, record when they left and where to"),
        ("room", "检查考室温度和通风，防止再有人不适", "Check temperature and air of the room, for the sake of the others"),
    )),
)  # fmt: skip

BY_PLAN = {plan.plan: plan for plan in PLANS}
ORDER = {plan.plan: n for n, plan in enumerate(PLANS)}
