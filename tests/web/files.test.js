/** What can be seen in the files themselves: words, colours, vendored bytes, syntax, and what an old shell lacks. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

import ts from 'typescript';

import english from '../../app/web/locales/candidate.en.js';
import chinese from '../../app/web/locales/candidate.zh-CN.js';
import { FILES, edited, licences, packaged, table } from '../../app/web/vendor/vendor.mjs';

const WEB = new URL('../../app/web/', import.meta.url);
const read = (path) => readFileSync(new URL(path, WEB), 'utf8');

/** Paths below app/web with one of these endings. */
function* files(folder, endings) {
  for (const name of readdirSync(new URL(folder, WEB))) {
    const path = `${folder}${name}`;
    if (statSync(new URL(path, WEB)).isDirectory()) yield* files(`${path}/`, endings);
    else if (endings.some((ending) => name.endsWith(ending))) yield path;
  }
}
const sources = [...files('candidate/', ['.js']), ...files('shared/', ['.js'])];
const styles = [...files('candidate/', ['.css']), ...files('shared/', ['.css'])];

test('both languages have the same keys, and the same places in each', () => {
  assert.deepEqual(Object.keys(english).sort(), Object.keys(chinese).sort());
  const places = (message) =>
    [...new Set((typeof message === 'string' ? message : message.other).match(/\{\w+\}/g) ?? [])].sort().join();
  for (const key of Object.keys(chinese)) assert.equal(places(english[key]), places(chinese[key]), key);
  for (const [key, message] of Object.entries(english)) {
    // The switch speaks the language it leads to.
    if (!key.startsWith('look.language')) assert.doesNotMatch(JSON.stringify(message), /[\u4e00-\u9fff]/u, key);
  }
});

test('every word a component asks for exists, and every word is asked for', () => {
  const text = sources.map(read).join('\n');
  const prefixes = [...text.matchAll(/t\(`([\w.]+\.)\$\{/g)].map((found) => found[1]);
  const asked = new Set([...text.matchAll(/'([a-z][A-Za-z]*(?:\.[\w-]+)+)'/g)].map((found) => found[1]));
  for (const key of Object.keys(chinese)) {
    assert.ok(asked.has(key) || prefixes.some((prefix) => key.startsWith(prefix)) || key.startsWith('exam.refused.'), `${key} is never used`);
  }
  for (const [, key] of text.matchAll(/\bt\('([\w.-]+)'/g)) assert.ok(key in chinese, `${key} is missing`);
});

/** The tokens of a theme. */
function tokens(theme) {
  const css = read('shared/tokens.css');
  const blocks = [...css.matchAll(/(:root[^{]*)\{([^}]*)\}/g)];
  const found = {};
  for (const [, selector, body] of blocks) {
    if (selector.includes('data-size') || (selector.includes('data-theme') && theme === 'light')) continue;
    for (const [, name, value] of body.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g)) found[name] = value;
  }
  return found;
}

function contrast(one, two) {
  const light = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const share = parseInt(hex.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [bright, dark] = [light(one), light(two)].sort((a, b) => b - a);
  return (bright + 0.05) / (dark + 0.05);
}

for (const theme of ['light', 'contrast']) {
  test(`${theme}: text is at least 4.5:1 on every ground it stands on, shapes at least 3:1`, () => {
    const color = tokens(theme);
    const pairs = [
      ['--ink', ['--ground', '--surface', '--sunken', '--accent-soft', '--warn-soft', '--bad-soft', '--good-soft']],
      ['--ink-soft', ['--ground', '--surface', '--sunken', '--accent-soft']],
      ['--accent', ['--surface', '--accent-soft']],
      ['--accent-strong', ['--accent-soft']],
      ['--on-accent', ['--accent', '--accent-strong']],
      ['--on-bad', ['--bad']],
      ['--good', ['--surface', '--good-soft']],
      ['--warn', ['--surface', '--warn-soft']],
      ['--bad', ['--surface', '--bad-soft']],
    ];
    for (const [text, grounds] of pairs) {
      for (const ground of grounds) {
        const ratio = contrast(color[text], color[ground]);
        assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
    for (const [shape, grounds] of [['--line-strong', ['--surface', '--ground']], ['--warn-line', ['--surface']], ['--mark-on-accent', ['--accent']], ['--focus', ['--ground', '--surface']]]) {
      for (const ground of grounds) {
        const ratio = contrast(color[shape], color[ground]);
        assert.ok(ratio >= 3, `${shape} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}

test('English is set in signs that a Chinese font does not draw wide', () => {
  assert.doesNotMatch(JSON.stringify(english), /[“”‘’]/);
});

test('every style uses tokens that exist', () => {
  const known = new Set([...read('shared/tokens.css').matchAll(/(--[\w-]+):/g)].map((found) => found[1]));
  for (const path of styles) {
    for (const [, name] of read(path).matchAll(/var\((--[\w-]+)/g)) assert.ok(known.has(name), `${path}: ${name}`);
  }
});

test('the page links every style of its components, and nothing is inline', () => {
  const page = read('candidate/index.html');
  for (const path of files('candidate/', ['.css'])) assert.ok(page.includes(`/web/${path}`), path);
  for (const [, path] of page.matchAll(/(?:href|src)="\/web\/([^"]+)"/g)) assert.ok(existsSync(new URL(path, WEB)), path);
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/);
  assert.doesNotMatch(page, /https?:/);
  for (const path of sources) assert.doesNotMatch(read(path), /\sstyle=/, path);
});

test('the source stays within ES2020', () => {
  const K = ts.SyntaxKind;
  const newer = new Set([
    K.QuestionQuestionEqualsToken, K.BarBarEqualsToken, K.AmpersandAmpersandEqualsToken, K.PrivateIdentifier,
    K.PropertyDeclaration, K.ClassStaticBlockDeclaration,
  ]); // prettier-ignore
  for (const path of [...sources, ...files('locales/', ['.js'])]) {
    const tree = ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2020, true, ts.ScriptKind.JS);
    const walk = (node) => {
      assert.ok(!newer.has(node.kind), `${path}: ${node.getText().slice(0, 60)}`);
      if (node.kind === K.NumericLiteral) assert.doesNotMatch(node.getText(), /_/, `${path}: ${node.getText()}`);
      ts.forEachChild(node, walk);
    };
    walk(tree);
  }
});

test('nothing is used that plain http or an old shell does not have', () => {
  const missing = /crypto\.subtle|randomUUID|navigator\.locks|serviceWorker|structuredClone|AbortSignal\.(timeout|any)|Object\.hasOwn|localStorage|sessionStorage|EventSource\(|Date\.now|performance\.timeOrigin|requestIdleCallback/;
  for (const path of sources) {
    const code = read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    assert.doesNotMatch(code, missing, path);
    if (path.startsWith('candidate/core/')) assert.doesNotMatch(code, /\b(document|window|navigator|localStorage|new Date)\b/, path);
  }
});

test('only the seam imports the vendored modules', () => {
  for (const path of sources) {
    const found = [...read(path).matchAll(/^(?:import|export)[^'"]*['"]([^'"]*vendor[^'"]*)['"]/gm)];
    if (path !== 'shared/ui.js') assert.equal(found.length, 0, path);
  }
});

test('what is vendored is what the lock names, with the one edit and no other', () => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  for (const { file, package: name, source } of FILES) {
    assert.equal(read(`vendor/${file}`), edited(packaged(name, source)), file);
    assert.doesNotMatch(read(`vendor/${file}`), /from\s*["'](?!\.\/)/, file);
    assert.equal(JSON.parse(packaged(name, 'package.json')).version, lock.packages[`node_modules/${name}`].version);
  }
  assert.equal(read('vendor/VENDOR.md'), table());
  assert.equal(read('vendor/LICENCES.txt'), licences());
});

test('the lock names no host', () => {
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  assert.doesNotMatch(lock, /"resolved"/);
});
