import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotVerified } from '../rules/errors.js';
import type { Redis } from './connection.js';
import type { Shards } from './shards.js';

/** The number of keys of each Lua script. The files in core/redis/lua/ name the keys and the results. */
const KEY_COUNT = {
  claim: 5,
  release: 5,
  'read-status': 3,
  'record-status': 3,
  'open-sale': 11,
  'begin-copy': 1,
  'shut-gate': 1,
  'set-sale': 1,
  restock: 2,
  promote: 5,
  'restore-claim': 5,
  regrab: 5,
  'set-reason': 2,
  'set-strikes': 2,
  'leave-standby': 2,
  'tell-changes': 1,
  'mark-registry': 1,
  'decide-layout': 2,
  'move-keys': 2,
  'unmark-changed': 1,
  'click-to-pay': 3,
  'drop-pay-click': 1,
  'take-locks': 1,
  'confirm-locks': 1,
  'give-back-locks': 1,
  'restore-entry': 4,
  'move-ticket': 2,
  'entries-stored': 2,
} as const;

/** The name of a Lua script: its file below core/redis/lua/ without the ending. */
export type ScriptName = keyof typeof KEY_COUNT;

const FOLDER = join(import.meta.dirname, 'lua');

/** Reads the source of a Lua script, with each `-- @include name` replaced by lua/include/name.lua. */
export function readScript(name: ScriptName): string {
  const include = (_line: string, part: string) => readFileSync(join(FOLDER, 'include', `${part}.lua`), 'utf8');
  return readFileSync(join(FOLDER, `${name}.lua`), 'utf8').replace(/^-- @include (\S+)$/gm, include);
}

/**
 * Registers the Lua scripts with the connections. ioredis sends a script by its hash, and whole when Redis has forgotten
 * it.
 */
export function defineScripts({ shards }: Shards): void {
  for (const name of Object.keys(KEY_COUNT) as ScriptName[]) {
    const lua = readScript(name);
    for (const redis of shards) {
      redis.defineCommand(name, { numberOfKeys: KEY_COUNT[name] + redis.guards.length, lua });
    }
  }
}

type Script = (...keysAndArgs: (string | number)[]) => Promise<unknown>;

/** The keys and arguments of a Lua script, in the order of its header. */
export interface ScriptCall {
  keys: string[];
  args: (string | number)[];
}

/**
 * Runs a Lua script on a connection on which {@link defineScripts} has registered it.
 *
 * @throws ioredis's error: the outcome is unknown
 */
export function runScript(redis: Redis, name: ScriptName, { keys, args }: ScriptCall): Promise<unknown> {
  const script = (redis as unknown as Record<ScriptName, Script>)[name];
  return script.call(redis, ...keys, ...redis.guards, ...args);
}

/**
 * Splits the reply of a Lua script into the fence's verdict and the result. The fence is the check that the sale was
 * compared with Postgres in this run of Redis.
 *
 * @param saleId named in the error
 * @throws NotVerified unless the verdict is 'ok': the script did nothing, and a later retry helps
 */
export function behindFence<T>(reply: unknown, saleId: string): T[] {
  const [verdict, ...rest] = reply as [string, ...T[]];
  if (verdict !== 'ok') throw new NotVerified(`sale ${saleId} in Redis: ${verdict}`);
  return rest;
}
