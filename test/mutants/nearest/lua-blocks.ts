import { createHash } from 'node:crypto';
import { type LuaNode, readLuaTree } from '../operators/lua/tree.js';
import type { Range } from '../operators/tokens.js';
import { fileId } from './functions.js';

/** A block of a Lua script, or the whole script. */
export interface LuaBlock extends Range {
  id: string;
}

/** Lists the blocks of a Lua script or of a part of scripts, each outer one before those in it. */
export function blocksOf(path: string, text: string): LuaBlock[] {
  const used = new Map<string, number>();
  const list = (node: LuaNode): LuaBlock[] => {
    const inner = node.children.flatMap(list);
    if (node.kind !== 'block' || node.children.length === 0) return inner;
    const { start, end } = node;
    // A block is known by its text, so that it stays the same when others come or go.
    const hash = createHash('sha256').update(text.slice(start, end)).digest('hex').slice(0, 8);
    const times = used.get(hash) ?? 0;
    used.set(hash, times + 1);
    return [{ id: `${fileId(path)}${hash}${times === 0 ? '' : `:${times}`}`, start, end }, ...inner];
  };
  const [whole, ...inner] = list(readLuaTree(text));
  return whole ? [{ ...whole, id: fileId(path) }, ...inner] : [];
}

/**
 * Makes the blocks of a script say when they run: its reply becomes a list of their ids and the reply that it had. A part of scripts
 * only tells them.
 */
export function instrumentLua(path: string, text: string): string {
  const told = blocksOf(path, text)
    .toSorted((a, b) => b.start - a.start)
    .reduce((done, { id, start }) => `${done.slice(0, start)}__tell('${id}'); ${done.slice(start)}`, text);
  const [, shebang, body] = /^(#!.*\n)([\s\S]*)$/.exec(told) ?? [];
  return shebang === undefined ? told : `${shebang}${BEFORE}\n${body}\n${AFTER}`;
}

const BEFORE = `local __told, __ids = {}, {}
local function __tell(id) if not __told[id] then __told[id] = true; __ids[#__ids + 1] = id end end
local function __script()`;

/** An error stays as it is, and nil would end the list. */
const AFTER = `end
local __reply = __script()
if type(__reply) == 'table' and __reply.err then return __reply end
if __reply == nil then __reply = false end
return { table.concat(__ids, ' '), __reply }
`;
