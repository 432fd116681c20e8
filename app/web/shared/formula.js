/**
 * Formulas as they stand in a bank's text, `$P-R-E=\Delta v$`, made readable without a typesetting library: letters in
 * italics, real sub- and superscripts, the usual signs. What it does not know it shows as it is written.
 *
 * @typedef {{text: string, style: 'plain' | 'math' | 'letter' | 'sub' | 'sup'}} Part
 */

/** @type {Readonly<Record<string, string>>} */
const SIGNS = Object.freeze({
  alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ', epsilon: 'ε', varepsilon: 'ε', zeta: 'ζ', eta: 'η', theta: 'θ',
  lambda: 'λ', mu: 'μ', nu: 'ν', xi: 'ξ', pi: 'π', rho: 'ρ', sigma: 'σ', tau: 'τ', phi: 'φ', varphi: 'φ', chi: 'χ',
  psi: 'ψ', omega: 'ω', Gamma: 'Γ', Delta: 'Δ', Theta: 'Θ', Lambda: 'Λ', Pi: 'Π', Sigma: 'Σ', Phi: 'Φ', Psi: 'Ψ',
  Omega: 'Ω', times: '×', div: '÷', cdot: '·', pm: '±', mp: '∓', leq: '≤', le: '≤', geq: '≥', ge: '≥', neq: '≠',
  ne: '≠', approx: '≈', sim: '~', infty: '∞', sum: '∑', int: '∫', partial: '∂', degree: '°', circ: '°', prime: '′',
  to: '→', rightarrow: '→', leftarrow: '←', ldots: '…', cdots: '⋯', dots: '…', propto: '∝', quad: ' ', left: '',
  right: '', ',': ' ', ';': ' ', '!': '', '%': '%', '{': '{', '}': '}', _: '_', '&': '&', '#': '#', ' ': ' ',
}); // prettier-ignore

/** Commands whose argument is simply shown. */
const TRANSPARENT = new Set(['mathrm', 'text', 'mathbf', 'mathit', 'operatorname', 'overline', 'bar', 'vec', 'hat']);

/**
 * @param {string} source a stem or an option
 * @returns {Part[]}
 */
export function formulaParts(source) {
  /** @type {Part[]} */
  const parts = [];
  const pieces = source.split('$');
  // An odd number of signs is money or a slip, not a formula: shown as it is.
  if (pieces.length % 2 === 0) return [{ text: source, style: 'plain' }];
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) parts.push(...math(piece));
    else if (piece !== '') parts.push({ text: piece, style: 'plain' });
  });
  return joined(parts);
}

/**
 * @param {string} source between two dollar signs
 * @returns {Part[]}
 */
function math(source) {
  /** @type {Part[]} */
  const parts = [];
  let at = 0;

  /** The group or the single sign that begins here. @returns {string} */
  const argument = () => {
    while (source[at] === ' ') at += 1;
    if (source[at] === '{') {
      let depth = 0;
      const from = at + 1;
      for (; at < source.length; at += 1) {
        if (source[at] === '{') depth += 1;
        if (source[at] === '}') depth -= 1;
        if (depth === 0) break;
      }
      at += 1;
      return source.slice(from, at - 1);
    }
    const command = /^\\([A-Za-z]+|.)/.exec(source.slice(at));
    const taken = command ? command[0] : (source[at] ?? '');
    at += taken.length;
    return taken;
  };

  while (at < source.length) {
    const sign = source[at];
    if (sign === '^' || sign === '_') {
      at += 1;
      parts.push({ text: flat(argument()), style: sign === '^' ? 'sup' : 'sub' });
    } else if (sign === '{') {
      parts.push(...math(argument()));
    } else if (sign === '\\') {
      const name = /^\\([A-Za-z]+|.)/.exec(source.slice(at))?.[1] ?? '';
      at += name.length + 1;
      if (name === 'frac' || name === 'dfrac' || name === 'tfrac') {
        const [over, under] = [flat(argument()), flat(argument())];
        parts.push({ text: `${grouped(over)}/${grouped(under)}`, style: 'math' });
      } else if (name === 'sqrt') {
        const under = flat(argument());
        parts.push({ text: under.length > 1 ? `√(${under})` : `√${under}`, style: 'math' });
      } else if (TRANSPARENT.has(name)) {
        parts.push({ text: flat(argument()), style: 'math' });
      } else {
        parts.push({ text: SIGNS[name] ?? `\\${name}`, style: 'math' });
        if (source[at] === ' ' && /^[A-Za-z]+$/.test(name)) at += 1; // the blank only ended the name
      }
    } else {
      parts.push({ text: sign === '-' ? '−' : sign, style: /[A-Za-z]/.test(sign) ? 'letter' : 'math' });
      at += 1;
    }
  }
  return parts;
}

/** A group as one line of text. @param {string} source */
function flat(source) {
  return math(source)
    .map((part) => part.text)
    .join('');
}

/** @param {string} text */
function grouped(text) {
  return /^[\p{L}\p{N}.]*$/u.test(text) ? text : `(${text})`;
}

/** @param {Part[]} parts neighbours of one style become one */
function joined(parts) {
  /** @type {Part[]} */
  const out = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (last && last.style === part.style) out[out.length - 1] = { ...last, text: last.text + part.text };
    else out.push(part);
  }
  return out;
}
