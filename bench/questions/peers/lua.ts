import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { freePort } from '#stack/processes/free-port.js';
import { familyCpuSeconds } from '../../measure/cpu.js';
import { crowdSize, underLoad } from '../../measure/crowd.js';
import type { Contestant, Figures } from '../../measure/round.js';
import { startReadyProcess } from '../../rig/ready-process.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll } from '../../rig/sale.js';
import type { Server } from '../../rig/server.js';

const SOURCES = join(checkout, 'bench', 'servers', 'lua');
/** Where Debian's libnginx-mod-http-lua and lua-nginx-redis are. */
const MODULES = '/usr/share/nginx/modules';
const NEEDED = [`${MODULES}/ngx_http_lua_module.so`, '/usr/share/lua/5.1/nginx/redis.lua'];

const SALE = 'bench-00000';
/** Elements of one RPUSH. */
const CHUNK = 5_000;
const MICROS = 1e6;
const READY_MS = 10_000;

/**
 * Asks how many claims and refusals a second nginx makes with Lua and one script for each request. Without Debian's packages
 * nothing is asked.
 */
export async function lua(rig: Rig): Promise<Contestant[]> {
  const missing = NEEDED.find(path => !existsSync(path));
  if (missing) {
    rig.tell(`lua skipped: install libnginx-mod-http-lua and lua-nginx-redis for ${missing}`);
    return [];
  }
  const server = await startNginx(rig);
  const measured = (name: string, units: () => number, expected: number) => ({
    name,
    measure: () => measure(rig, server, { units: units(), expected }),
    close: server.stop,
  });
  return [measured('luaWins', () => crowdSize(rig), 202), measured('luaRefusals', () => 0, 409)];
}

async function measure(
  rig: Rig,
  server: Server,
  { units, expected }: { units: number; expected: number },
): Promise<Figures> {
  await forgetAll(rig);
  const all = Array.from({ length: units }, (_, i) => i + 1);
  while (all.length > 0) await rig.redis.rpush(`lua:${SALE}:stock`, ...all.splice(-CHUNK));
  const before = familyCpuSeconds(server.pid);
  const { figures, outcome } = await underLoad(rig, { server, crowd: { path: `/buy/${SALE}` }, expected: [expected] });
  const serverMicros = (MICROS * (familyCpuSeconds(server.pid) - before)) / outcome.answers;
  return { ...figures, serverMicros };
}

async function startNginx(rig: Rig): Promise<Server> {
  const folder = join(rig.stores.folder, 'lua');
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const script = await rig.redis.script('LOAD', await readFile(join(SOURCES, 'script.lua'), 'utf8'));
  const settings = { MODULES, PORT: port, REDIS: rig.stores.redis.port, SCRIPT: script };
  const template = await readFile(join(SOURCES, 'nginx.conf'), 'utf8');
  const config = template.replace(/\b(MODULES|PORT|REDIS|SCRIPT)\b/g, name => String(settings[name as 'PORT']));
  await writeFile(join(folder, 'nginx.conf'), config);
  await writeFile(join(folder, 'claim.lua'), await readFile(join(SOURCES, 'claim.lua')));
  const command = {
    command: 'nginx',
    args: ['-p', folder, '-c', 'nginx.conf'],
    cwd: folder,
    environment: {},
    graceMs: READY_MS,
  };
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/ready`).then(
      answer => answer.ok,
      () => false,
    );
  const child = await startReadyProcess(command, { name: 'nginx with Lua', isReady, withinMs: READY_MS });
  return { port, pid: child.pid, stop: child.stop };
}
