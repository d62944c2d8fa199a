import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { compile } from '../../mutants/runs/compiled.js';

const SCRIPTS = join('core', 'redis', 'lua');

interface PrivateRedis {
  folder: string;
  server: RedisServer;
  redis: Redis;
}

/**
 * Compiles the texts of bugs, as far as that is possible before they run: TypeScript, the scripts of the page, and those of Redis.
 * A text that does not compile makes a test fail, too, which then has noticed nothing.
 */
export class Compiler {
  #redis: Promise<PrivateRedis> | undefined;

  /**
   * Says why a file does not compile, or nothing if it does. Files of other languages are not compiled.
   *
   * @throws Error when Redis does not answer
   */
  async errorIn(folder: string, file: string): Promise<string | undefined> {
    const text = await readFile(join(folder, file), 'utf8');
    const redis = file.endsWith('.lua') ? await this.#startedRedis() : undefined;
    try {
      if (/\.(ts|js|mjs)$/.test(file)) compile(file, text);
      await redis?.script('LOAD', await withIncludes(folder, text));
      return undefined;
    } catch (error) {
      // A Redis that is away says nothing about the script.
      if (redis && !/compiling/.test(lineOf(error))) throw error;
      return `${file}: ${lineOf(error)}`;
    }
  }

  /** Ends the Redis that has compiled scripts. */
  async close(): Promise<void> {
    const started = await this.#redis;
    if (!started) return;
    started.redis.disconnect();
    await started.server.stop();
    await removeTemporaryFolder(started.folder);
  }

  async #startedRedis(): Promise<Redis> {
    this.#redis ??= startPrivateRedis();
    return (await this.#redis).redis;
  }
}

async function startPrivateRedis(): Promise<PrivateRedis> {
  const folder = await createTemporaryFolder();
  const server = await startRedis({ dir: folder });
  const redis = connectRedis(server.url, 'steps', () => undefined);
  await waitUntilReady(redis);
  return { folder, server, redis };
}

/** A part that scripts include is a script of its own, for a compiler. */
async function withIncludes(folder: string, text: string): Promise<string> {
  const names = [...text.matchAll(/^-- @include (\S+)$/gm)].map(([, name = '']) => name);
  let whole = text;
  for (const name of names) {
    const part = await readFile(join(folder, SCRIPTS, 'include', `${name}.lua`), 'utf8');
    whole = whole.replace(`-- @include ${name}\n`, () => `${part}\n`);
  }
  return whole;
}

/** Returns what names an error: the first line of a compiler's message may be a mark or colours. */
function lineOf(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error).split('\n');
  return lines.find(line => /\w{3}/.test(line))?.trim() ?? '';
}
