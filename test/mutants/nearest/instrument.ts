import { fileId, functionsOf } from './functions.js';

/**
 * The function that instrumented code calls. It writes each id once for each test of a file, and once for what runs outside of tests:
 * hooks, and the processes that tests start.
 */
const preamble = (folder: string): string =>
  [
    'globalThis.__hit ??= ((seen, fs, folder) => id => {',
    "const test = globalThis.__test ?? '';",
    'if (!fs || seen.get(test)?.has(id)) return;',
    'if (!seen.has(test)) seen.set(test, new Set());',
    'seen.get(test).add(id);',
    "fs.appendFileSync(folder + '/' + fs.readFileSync(folder + '/current', 'utf8'), test + ' ' + id + '\\n');",
    `})(new Map(), globalThis.process?.getBuiltinModule('node:fs'), ${JSON.stringify(folder)});`,
  ].join(' ');

const hit = (expression: string): string => `globalThis.__hit?.(${expression})`;

/** The file that runs the Lua scripts, and the expression in it that names the script. */
const SCRIPTS = { file: 'core/redis/scripts.ts', function: 'runScript', script: "'core/redis/lua/' + name + '.lua#'" };

/**
 * Makes every function of a file say when it is called. The lines stay where they are.
 *
 * @param folder where the hits are written; its file `current` names the file for them
 */
export function instrument(path: string, text: string, folder: string): string {
  const insertions = functionsOf(path, text).flatMap(({ id, body: { start, end, isBlock } }) => {
    const own = hit(JSON.stringify(id));
    if (!isBlock) {
      return [
        { at: start, code: `(${own}, ` },
        { at: end, code: ')' },
      ];
    }
    const isRunScript = path === SCRIPTS.file && id === `${path}#${SCRIPTS.function}`;
    return [{ at: start + 1, code: isRunScript ? ` ${own}; ${hit(SCRIPTS.script)};` : ` ${own};` }];
  });
  const code = insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((done, { at, code }) => done.slice(0, at) + code + done.slice(at), text);
  return `${preamble(folder)} ${hit(JSON.stringify(fileId(path)))}; ${code}`;
}
