import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotVerified } from '../rules/errors.js';
import type { Redis } from './connection.js';

/** How many keys each script takes. The files in lua/ say which, and what they return. */
const KEY_COUNT = {
  claim: 5,
  release: 5,
  'read-status': 3,
  'record-status': 3,
  'open-sale': 9,
  'set-sale': 1,
  restock: 2,
  promote: 5,
  'restore-claim': 5,
  regrab: 5,
  'set-reason': 2,
  'leave-standby': 2,
  'mark-registry': 1,
} as const;

export type ScriptName = keyof typeof KEY_COUNT;

const FOLDER = join(import.meta.dirname, 'lua');

/**
 * @param name a script
 * @returns its source, with each `-- @include name` replaced by lua/include/name.lua
 */
export function readScript(name: ScriptName): string {
  const include = (_line: string, part: string) => readFileSync(join(FOLDER, 'include', `${part}.lua`), 'utf8');
  return readFileSync(join(FOLDER, `${name}.lua`), 'utf8').replace(/^-- @include (\S+)$/gm, include);
}

/**
 * Makes the scripts known to a connection. They are sent by hash, and whole when Redis has forgotten them.
 *
 * @param redis a connection
 */
export function defineScripts(redis: Redis): void {
  for (const name of Object.keys(KEY_COUNT) as ScriptName[]) {
    redis.defineCommand(name, { numberOfKeys: KEY_COUNT[name], lua: readScript(name) });
  }
}

type Script = (...keysAndArgs: (string | number)[]) => Promise<unknown>;

/**
 * @param redis a connection that went through {@link defineScripts}
 * @param name the script
 * @param keys its keys, in its order
 * @param args its arguments
 * @returns what the script returns
 * @throws what ioredis throws: then whether it ran is unknown
 */
export function runScript(redis: Redis, name: ScriptName, keys: string[], args: (string | number)[]): Promise<unknown> {
  const script = (redis as unknown as Record<ScriptName, Script>)[name];
  return script.call(redis, ...keys, ...args);
}

/**
 * Splits what a fenced script returned.
 *
 * @param reply the reply, its first element the fence's verdict
 * @param saleId named in the error
 * @returns the rest of the reply
 * @throws NotVerified unless the verdict is 'ok': nothing was done, and trying again later helps
 */
export function behindFence<T>(reply: unknown, saleId: string): T[] {
  const [verdict, ...rest] = reply as [string, ...T[]];
  if (verdict !== 'ok') throw new NotVerified(`sale ${saleId} in Redis: ${verdict}`);
  return rest;
}
