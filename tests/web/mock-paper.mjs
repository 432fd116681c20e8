/** A small invented paper of all five types, with pictures, formulas and enough items for a full answer card. */

const DAM = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 300" font-family="sans-serif" font-size="14">
<rect width="420" height="300" fill="#fff"/><path d="M0 110h150l0 150H0z" fill="#cfe6f2"/><path d="M0 110h150" stroke="#2f7fae" stroke-width="2"/>
<path d="M150 70h40l110 190H150z" fill="#d9d2c5" stroke="#555"/><path d="M20 260h380" stroke="#333" stroke-width="3"/>
<path d="M300 245h100v15H300z" fill="#cfe6f2"/><path d="M60 110v150" stroke="#333" marker-end="url(#a)"/><text x="66" y="190">H₁</text>
<text x="330" y="240">H₂</text><text x="196" y="180">坝体</text><path d="M120 150l60 30M120 190l80 30" stroke="#2f7fae" stroke-dasharray="5 4"/><text x="205" y="222">浸润线</text></svg>`;
const CURVE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 300" font-family="sans-serif" font-size="14">
<rect width="420" height="300" fill="#fff"/><path d="M50 20v230h340" fill="none" stroke="#333" stroke-width="2"/>
<path d="M50 240c60-10 70-190 130-190s80 150 210 180" fill="none" stroke="#a11d1d" stroke-width="3"/><text x="14" y="30">Q</text><text x="380" y="275">t</text>
<path d="M180 50v200" stroke="#777" stroke-dasharray="4 4"/><text x="168" y="272">tₚ</text></svg>`;

export const PICTURES = { dam: DAM, curve: CURVE };

const choice = (ids, texts) => [...ids].map((id, index) => ({ id, text: texts[index], media: null }));

const HAND_MADE = [
  {
    type: 'single', points: 1,
    stem: '某流域面积为 500 km²，多年平均流量为 7.5 m³/s，换算成多年平均径流深约为（　）。',
    options: choice('CADB', ['473 mm', '887 mm', '805 mm', '500 mm']),
  },
  {
    type: 'single', points: 1,
    stem: '水量平衡方程式 $P-R-E=\\Delta v$ 中，$P$、$R$、$E$、$\\Delta v$ 分别为某一时段流域的降水量、径流量、蒸发量和蓄水变量。该式适用于（　）。',
    options: choice('BDAC', ['闭合流域任意时段情况', '非闭合流域任意时段情况', '闭合流域多年平均情况', '非闭合流域多年平均情况']),
  },
  {
    type: 'single', points: 1, media: ['/api/v1/attempt/media/dam'],
    stem: '如图所示的均质土坝，上游水位由 H₁ 骤降时，对上游坝坡稳定最不利的作用是（　）。',
    options: choice('ABCD', ['坝体内孔隙水压力来不及消散，产生指向上游的渗透力', '下游水位随之上升', '坝顶沉降增大', '坝基扬压力减小']),
  },
  {
    type: 'multiple', points: 2,
    stem: '关于混凝土面板堆石坝，下列说法正确的有（　）。',
    options: choice('EBACD', ['面板是主要的防渗结构', '堆石体需分层碾压', '趾板与面板之间设置周边缝止水', '面板应在堆石体填筑前浇筑', '垫层料应具有半透水性']),
  },
  {
    type: 'true_false', points: 1,
    stem: '渠道水力计算中，在流量、底坡和糙率一定的条件下，水力最佳断面的过水面积最小。',
    options: choice('TF', ['正确', '错误']),
  },
  { type: 'blank', points: 2, blanks: 2, stem: '谢才公式 $v=C\\sqrt{RJ}$ 中，$R$ 称为____，$J$ 称为____。' },
  {
    type: 'blank', points: 2, blanks: 1, media: ['/api/v1/attempt/media/curve'],
    stem: '图中洪水过程线的峰现时间为 $t_p$。若洪峰流量 $Q_m=1.2\\times 10^3$ m³/s，则峰现时刻的流量为____ m³/s。',
  },
  {
    type: 'text', points: 10,
    stem: '某中型水库除险加固工程施工期间遭遇超标准洪水。请结合工程实际，简述：（1）施工单位应立即采取的应急措施；（2）监理单位在此期间的主要工作；（3）灾后恢复施工前应完成的检查内容。',
  },
]; // prettier-ignore

const TITLES = { single: '单选题', multiple: '多选题', true_false: '判断题', blank: '填空题', text: '简答题' };
const COUNTS = { single: 60, multiple: 20, true_false: 10, blank: 8, text: 2 };

function build() {
  let position = 0;
  const sections = [];
  for (const [type, count] of Object.entries(COUNTS)) {
    const models = HAND_MADE.filter((item) => item.type === type);
    const items = Array.from({ length: count }, (_unused, index) => {
      position += 1;
      return { media: [], options: [], ...models[index % models.length], item: 1000 + position, position };
    });
    sections.push({ title: TITLES[type], items });
  }
  return { paper: 'mock-1', sections };
}

export const PAPER = build();
