import type { Change } from '../change.js';
import type { LuaNode, Visit } from './tree.js';

const READS = ['EXISTS', 'GET', 'HEXISTS', 'HGET', 'HLEN', 'HMGET', 'INFO', 'LLEN', 'PTTL', 'TIME'];
const READS_OF_SETS = ['ZCARD', 'ZRANK', 'ZSCORE'];

/** The code instead of a write whose reply is used: a read with the same reply, if there is one. */
const READ_INSTEAD: Record<string, (args: string[]) => string> = {
  LPOP: ([key, count]) => (count ? `redis.call('LRANGE', ${key}, 0, ${count} - 1)` : `redis.call('LINDEX', ${key}, 0)`),
  ZPOPMIN: ([key]) => `redis.call('ZRANGE', ${key}, 0, 0)`,
  HINCRBY: ([key, field, by]) => `(tonumber(redis.call('HGET', ${key}, ${field}) or 0) + ${by})`,
};

/** Takes calls out: writes, messages, checks of a key's type, and `NX`. Also turns `math.min` and `math.max`. */
export function* callChanges({ text, node, around }: Visit): Iterable<Change> {
  if (node.kind !== 'call') return;
  const [callee = '', ...args] = node.children.map(({ start, end }) => text.slice(start, end));
  const command = /^redis\.p?call$/.test(callee) ? args[0]?.slice(1, -1) : undefined;
  const { start, end } = node;
  if (around[0]?.kind === 'block') {
    if (!isAlone(around)) yield { operator: nameOf(callee, command), start, end, replacement: '' };
  } else if (command && isWrite(command)) {
    const replacement = READ_INSTEAD[command]?.(args.slice(1)) ?? '1';
    yield { operator: 'write gone', start, end, replacement };
  }
  const last = args.at(-1);
  if (last === "'NX'")
    yield { operator: 'condition gone', start: end - ", 'NX')".length, end: end - 1, replacement: '' };
  const turned = { 'math.min': 'math.max', 'math.max': 'math.min' }[callee];
  if (turned) yield { operator: 'limit turned', start, end: start + callee.length, replacement: turned };
}

/** Tells whether a statement is all that an `if` does: then the condition that is gone takes it out, too. */
function isAlone([block, parent]: LuaNode[]): boolean {
  return parent?.kind === 'if' && parent.children.length === 2 && block?.children.length === 1;
}

function nameOf(callee: string, command: string | undefined): string {
  if (command === 'PUBLISH' || /^(?:publish|tell_\w+)$/.test(callee)) return 'publish gone';
  if (!command) return 'call gone';
  return isWrite(command) ? 'write gone' : 'type check gone';
}

function isWrite(command: string): boolean {
  return !READS.includes(command) && !READS_OF_SETS.includes(command);
}

/** Swaps two neighbours that use the same key, if at least one of them writes. */
export function* swapChanges({ text, node }: Visit): Iterable<Change> {
  if (node.kind !== 'block') return;
  for (const [n, first] of node.children.entries()) {
    const second = node.children[n + 1];
    if (!second || !isStep(first) || !isStep(second)) continue;
    const [one, other] = [first, second].map(({ start, end }) => text.slice(start, end)) as [string, string];
    if (!keysOf(one).some(key => keysOf(other).includes(key)) || !(writes(one) || writes(other))) continue;
    const between = text.slice(first.end, second.start);
    const piece = { start: first.start, end: second.end };
    yield { operator: 'writes swapped', ...piece, replacement: `${other}${between}${one}` };
  }
}

/** Tells whether a statement is a call, or an `if` around one that does not end the script. */
function isStep(node: LuaNode): boolean {
  return (
    node.kind === 'call' ||
    (node.kind === 'if' && node.children[1]?.children.every(({ kind }) => kind === 'call') === true)
  );
}

function keysOf(statement: string): string[] {
  return [...statement.matchAll(/(?:redis\.call\('\w+', |publish\()([^,)]+)/g)].map(([, key]) => key ?? '');
}

function writes(statement: string): boolean {
  return [...statement.matchAll(/redis\.call\('(\w+)'/g)].some(([, command]) => isWrite(command ?? ''));
}
