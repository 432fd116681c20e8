/**
 * Rebuilds this folder from the packages `npm ci` installed, and writes VENDOR.md.
 *
 * Browsers resolve no bare specifiers without an import map, and an import map is an inline script that our content
 * security policy refuses. So the only change made to a vendored file is its import specifiers ("preact" →
 * "./preact.js") and the removed source-map comment, which would point at nothing. `tests/web/vendor.test.js` repeats
 * both and compares byte by byte.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = new URL('./', import.meta.url);
const MODULES = new URL('../../../node_modules/', import.meta.url);

/** @type {ReadonlyArray<{file: string, package: string, source: string, licence: string}>} */
export const FILES = [
  { file: 'preact.js', package: 'preact', source: 'dist/preact.mjs', licence: 'MIT' },
  { file: 'preact-hooks.js', package: 'preact', source: 'hooks/dist/hooks.mjs', licence: 'MIT' },
  { file: 'htm.js', package: 'htm', source: 'dist/htm.module.js', licence: 'Apache-2.0' },
  { file: 'signals-core.js', package: '@preact/signals-core', source: 'dist/signals-core.module.js', licence: 'MIT' },
  { file: 'signals.js', package: '@preact/signals', source: 'dist/signals.module.js', licence: 'MIT' },
];

/** Bare specifier → the file that stands for it here. */
const SPECIFIERS = new Map([
  ['preact', './preact.js'],
  ['preact/hooks', './preact-hooks.js'],
  ['@preact/signals-core', './signals-core.js'],
]);

/** The one edit: specifiers and the source-map comment. @param {string} text */
export function edited(text) {
  return (
    text
      .replace(/\bfrom\s*"([^"]+)"/g, (whole, name) => (SPECIFIERS.has(name) ? `from"${SPECIFIERS.get(name)}"` : whole))
      .replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '')
      .trimEnd() + '\n'
  );
}

/** @param {string} name @param {string} path */
export function packaged(name, path) {
  return readFileSync(new URL(`${name}/${path}`, MODULES), 'utf8');
}

/** @param {string | Buffer} bytes */
export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The table of what lies here, as VENDOR.md shows it. @returns {string} */
export function table() {
  const rows = FILES.map(({ file, package: name, source, licence }) => {
    const version = JSON.parse(packaged(name, 'package.json')).version;
    const text = packaged(name, source);
    return `| ${file} | ${name} | ${version} | ${licence} | ${source} | ${sha256(text)} | ${sha256(edited(text))} |`;
  });
  return `# Vendored modules

Plain ES modules, served as they lie here; \`shared/ui.js\` is the only file that imports them.
Made by \`npm run vendor\` from the packages pinned in \`package-lock.json\`; \`tests/web/vendor.test.js\` proves it.

The one edit, made by \`vendor.mjs\`: bare import specifiers become relative (\`"preact"\` → \`"./preact.js"\`), because an
import map would need an inline script, and the source-map comment at the end is dropped.

| file | package | version | licence | taken from | sha256 as packaged | sha256 as it lies here |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

The licence texts are in \`LICENCES.txt\`.
`;
}

/** @returns {string} */
export function licences() {
  return [...new Set(FILES.map((row) => row.package))]
    .map((name) => `=== ${name} ===\n\n${packaged(name, 'LICENSE').trim()}\n`)
    .join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { file, package: name, source } of FILES) {
    writeFileSync(new URL(file, HERE), edited(packaged(name, source)));
  }
  writeFileSync(new URL('VENDOR.md', HERE), table());
  writeFileSync(new URL('LICENCES.txt', HERE), licences());
}
