import { fileId, functionsOf } from './functions.js';
import { instrumentLua } from './lua-blocks.js';

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

/** The function that runs the Lua scripts, and what it does instead: their replies begin with the ids of their blocks. */
const RUN_SCRIPT = {
  id: 'core/redis/scripts.ts#runScript',
  code: [
    'if (redis) return (redis as any)[name](...keys, ...redis.guards, ...args).then(([ids, reply]: any) => {',
    `for (const id of ids.split(' ')) ${hit('id')};`,
    'return reply;',
    '});',
  ].join(' '),
};

/**
 * Makes every function of a file say when it is called, or every block of a Lua script. The lines of functions stay where they are.
 *
 * @param folder where the hits are written; its file `current` names the file for them
 */
export function instrument(path: string, text: string, folder: string): string {
  if (path.endsWith('.lua')) return instrumentLua(path, text);
  const insertions = functionsOf(path, text).flatMap(({ id, body: { start, end, isBlock } }) => {
    const own = hit(JSON.stringify(id));
    if (!isBlock) {
      return [
        { at: start, code: `(${own}, ` },
        { at: end, code: ')' },
      ];
    }
    return [{ at: start + 1, code: id === RUN_SCRIPT.id ? ` ${own}; ${RUN_SCRIPT.code}` : ` ${own};` }];
  });
  const code = insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((done, { at, code }) => done.slice(0, at) + code + done.slice(at), text);
  return `${preamble(folder)} ${hit(JSON.stringify(fileId(path)))}; ${code}`;
}
