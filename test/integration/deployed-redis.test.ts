import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { waitForFitRedis } from '#core/redis/server/fitness.js';
import { locateRedisBinary } from '#stack/stores/redis-binary.js';
import { type RunningServer, startServer } from '#stack/stores/server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

// Redis as deploy/redis starts it in its container. Only the paths of the container are replaced by those of a folder.

const PASSWORD = '0123456789abcdef';

let folder: string;
let server: RunningServer;
let redis: Redis;

/** Copies deploy/redis into the folder, for one port. Redis keeps its arguments visible, so that a test can look at them. */
function writeConfiguration(port: number): string[] {
  const files = {
    'start.sh': '',
    'users.acl': '',
    'redis.conf': `\nport ${port}\nbind 127.0.0.1\nset-proc-title no\n`,
  };
  for (const [name, more] of Object.entries(files)) {
    const text = readFileSync(join(checkout, 'deploy/redis', name), 'utf8');
    const adapted = text
      .replaceAll('/tmp/', `${folder}/`)
      .replaceAll('/run/secrets', join(folder, 'secrets'))
      .replace('dir /data', `dir ${folder}`);
    writeFileSync(join(folder, 'conf', name), adapted + more);
  }
  return [join(folder, 'conf', 'start.sh')];
}

/** Asks without a password. */
function ask(port: number, question: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.end(`${question}\r\n`));
  return text(socket).catch(() => '');
}

beforeAll(async () => {
  await locateRedisBinary();
  folder = await createTemporaryFolder();
  await mkdir(join(folder, 'conf'));
  await mkdir(join(folder, 'secrets'));
  writeFileSync(join(folder, 'secrets', 'redis_password'), PASSWORD);
  server = await startServer({
    name: 'Redis',
    command: '/bin/sh',
    args: writeConfiguration,
    cwd: folder,
    logFile: join(folder, 'redis.log'),
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
    ready: async (_pid, port) => (await ask(port, 'PING')).startsWith('-NOAUTH'),
  });
  redis = connectRedis(`redis://dropline:${PASSWORD}@127.0.0.1:${server.port}`, 'worker', () => undefined);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.process.stop();
  if (folder) await removeTemporaryFolder(folder);
});

describe('the Redis of docker-compose.yml', () => {
  test('refuses a client without the password, and lets the user of the processes in', async () => {
    expect(await ask(server.port, 'INFO')).toMatch(/^-NOAUTH/);
    expect(await ask(server.port, 'AUTH default x')).toMatch(/^-WRONGPASS/);
    expect(await redis.ping()).toBe('PONG');
    await expect(redis.call('CONFIG', 'GET', '*')).rejects.toThrow('NOPERM');
  });

  test('keeps every claim: it writes before it answers, evicts nothing, and has a limit', async () => {
    defineScripts(redis);
    await waitForFitRedis(redis);
    const info = await redis.info();
    expect(info).toContain('aof_enabled:1');
    expect(info).toContain(`maxmemory:${512 * 1_024 * 1_024}`);
    expect(readFileSync(join(folder, 'conf', 'redis.conf'), 'utf8')).toMatch(/^appendfsync always$/m);
  });

  test('shows its password to no other process', () => {
    expect(readFileSync(`/proc/${server.process.pid}/cmdline`, 'utf8')).not.toContain(PASSWORD);
  });
});
