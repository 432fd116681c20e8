"""The bank of the browser tests: all five types, two with pictures, enough for a room of neighbours."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.e2e import png

HEADER = ("题号", "题型", "知识点", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "分值", "图片")

_HYDROGRAPH = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 260" width="480" height="260">
<rect width="480" height="260" fill="#ffffff"/>
<path d="M50 20V220H460" fill="none" stroke="#333333" stroke-width="2"/>
<path d="M50 205C110 200 130 60 180 50C240 60 260 150 330 180C380 195 420 200 455 203" fill="none" stroke="#0b62a4"
 stroke-width="3"/>
<text x="14" y="30" font-size="16">Q</text><text x="446" y="244" font-size="16">t</text>
<text x="170" y="40" font-size="16">P</text></svg>
"""


def _gauge() -> bytes:
    """A gauge board, 64 by 128 pixels: black marks on white."""
    rows = (bytes(0 if x < 40 and y % 16 < 3 else 255 for x in range(64)) for y in range(128))
    return png.write(struct.pack(">IIBBBBB", 64, 128, 8, 0, 0, 0, 0), rows)


def write_pictures(folder: Path) -> None:
    (folder / "过程线.svg").write_text(_HYDROGRAPH, encoding="utf-8")
    (folder / "水尺.png").write_bytes(_gauge())


_SINGLE = (
    (
        "流域出口断面的流量在时间上的变化过程，用哪一种图形表示？",
        "流量过程线",
        "水位流量关系曲线",
        "降雨等值线图",
        "高程分布图",
    ),
    ("衡量河流年径流量年际变化大小，常用下列哪一个参数？", "变差系数 Cv", "径流系数", "糙率", "渗透系数"),
    ("重现期为 100 年的洪水，任一年内发生的概率是多少？", "1%", "10%", "0.1%", "100%"),
    ("单位线法推求洪水过程时，假定流域是怎样的系统？", "线性时不变系统", "非线性系统", "随机系统", "时变系统"),
    ("水面蒸发量的观测，现行站网一般采用哪一种仪器？", "E601 型蒸发器", "流速仪", "测深杆", "浮标"),
    ("水位流量关系曲线出现绳套形，主要受什么影响？", "洪水涨落", "断面糙率不变", "含沙量为零", "比降恒定"),
    ("流域平均降雨量用泰森多边形法计算时，权重取自什么？", "各站控制面积", "各站高程", "各站年限", "各站雨强"),
    ("设计洪水三要素不包括下列哪一项？", "含沙量", "洪峰流量", "时段洪量", "洪水过程线"),
    ("河道某断面的平均流速等于什么？", "流量除以过水面积", "水深乘以比降", "水面宽除以水深", "湿周除以面积"),
    ("地下水补给河流的水量，在过程线上称为什么？", "基流", "地面径流", "壤中流", "回归水"),
)
_PICTURED = (
    ("图中 P 点表示这场洪水的哪一个特征值？", "洪峰流量", "起涨流量", "退水流量", "基流", "过程线.svg"),
    ("图中横坐标 t 表示什么？", "时间", "水位", "面积", "流速", "过程线.svg"),
    ("图示水尺用来观测哪一个要素？", "水位", "流速", "雨量", "蒸发", "水尺.png"),
    ("读取图示水尺时，应读到哪一级？", "厘米", "米", "分米", "千米", "水尺.png"),
)
_MULTIPLE = (
    ("下列属于水工建筑物挡水作用的有哪些？", "重力坝", "水闸", "渡槽", "堤防", "ABD"),
    ("影响土坝渗流稳定的因素有哪些？", "填土级配", "压实度", "防渗体布置", "坝顶路面颜色", "ABC"),
    ("泵站运行中，引起汽蚀的原因可能有哪些？", "安装高程过高", "吸水管漏气", "进水流态差", "出水池过宽", "ABC"),
    ("混凝土坝温度控制的措施有哪些？", "预冷骨料", "通水冷却", "表面保温", "提高水泥用量", "ABC"),
    ("下列哪些属于节水灌溉方式？", "喷灌", "滴灌", "微喷灌", "大水漫灌", "ABC"),
    ("防汛物资储备应当满足哪些要求？", "品种齐全", "数量足够", "调运便捷", "长期不检", "ABC"),
)
_TRUTH = (
    ("混凝土的抗拉强度远小于其抗压强度。", "对"),
    ("水库死水位以下的库容可以用于防洪调节。", "错"),
    ("堤防背水坡脚出现管涌时，应当反滤导渗。", "对"),
    ("明渠均匀流的水面线与渠底平行。", "对"),
    ("水泵的扬程就是水泵安装的高度。", "错"),
    ("取水许可证的有效期限由审批机关核定。", "对"),
)
_BLANK = (
    ("水的密度约为 ____ kg/m³，重力加速度通常取 ____ m/s²。", "1000|一千；9.8|9.81"),
    ("矩形断面渠道底宽 4 m、水深 2 m，过水面积为 ____ m²，湿周为 ____ m。", "8；8"),
    ("达西定律中，渗流流速与水力 ____ 成正比，比例系数称为 ____ 系数。", "坡降|比降；渗透"),
    ("水准测量中，后视读数减前视读数等于两点的 ____，为正时前视点较 ____。", "高差；高"),
)
_TEXT = (
    ("简述土石坝渗流破坏的主要型式及其防治措施。", "管涌、流土、接触冲刷、接触流土；上堵下排、反滤。"),
    ("简述编制防洪预案时应当收集的基本资料。", "水文、工程、社会经济、通信与撤离道路。"),
    ("简述大体积混凝土产生温度裂缝的原因。", "水化热、内外温差、约束。"),
    ("简述灌区续建配套与节水改造的主要内容。", "渠道防渗、建筑物改造、量水设施、管理。"),
)


def _rows() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []

    def add(kind: str, topic: str, stem: str, options: tuple[str, ...], answer: str, media: str = "") -> None:
        given = (*options, *[None] * (4 - len(options)))
        rows.append((len(rows) + 1, kind, topic, stem, *given, answer, 1, media))

    for stem, *options in _SINGLE:
        add("单选题", "水文", stem, tuple(options), "A")
    for stem, *options, media in _PICTURED:
        add("单选题", "识图", stem, tuple(options), "A", media)
    for stem, *options, answer in _MULTIPLE:
        add("多选题", "水工", stem, tuple(options), answer)
    for stem, answer in _TRUTH:
        add("判断题", "法规与工程", stem, (), answer)
    for stem, answer in _BLANK:
        add("填空题", "计算", stem, (), answer)
    for stem, answer in _TEXT:
        add("简答题", "综合", stem, (), answer)
    return rows


ROWS = _rows()
