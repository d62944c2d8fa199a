import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import type { TestStack } from '../../support/stack.js';
import { type Nginx, startNginx } from './nginx.js';

/** One line of the access log. */
export interface LogLine {
  path: string;
  status: number;
  /** Empty when no API was asked. */
  upstream: string;
  cache: string;
}

/** The settings that differ from machine to machine. */
export interface MachineOptions {
  /** Host and port of each API: two, as `nginx/upstream.conf` names them. */
  apis: readonly string[];
  /** The text of further files, by their path below `nginx/`. */
  files?: Readonly<Record<string, string>>;
  /** The folder of the built page. Without it the assets come from the API. */
  web?: string;
  /** The target of the access log; a file in nginx's folder if not given. */
  logs?: string;
}

/** How an nginx with the project's own files is started. */
export interface EdgeOptions extends MachineOptions {
  /** The environment of `start.sh`, which then starts nginx instead of `nginx -c`. */
  startedWith?: Readonly<Record<string, string>>;
}

/** A running nginx with the project's own files. */
export interface Edge extends Nginx {
  folder: string;
  /** Reads the access log so far. nginx writes it every second. */
  log(): LogLine[];
}

/** Two hosts at which nobody listens. nginx then answers everything by itself. */
export const NO_APIS = ['127.0.0.1:1', '127.0.0.1:1'];

/** Returns host and port of each API of a stack. */
export function hostsOf({ baseUrls }: Pick<TestStack, 'baseUrls'>): string[] {
  return baseUrls.map(url => new URL(url).host);
}

/** Lets a test be many clients. nginx reads the client's address from a header, as behind a load balancer. */
const MANY_CLIENTS = 'set_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\n';

/** The files of nginx. Set EDGE_NGINX to test those of another version. */
const NGINX_FILES = resolve(checkout, process.env.EDGE_NGINX ?? 'nginx');

const ACCESS_LOG = 'access.log';

/**
 * Starts nginx with the files of `nginx/`. Only the settings that differ from machine to machine are replaced.
 *
 * @returns an nginx that answers; `stop()` removes its folder
 */
export async function startEdge({ startedWith, ...options }: EdgeOptions): Promise<Edge> {
  const folder = await createTemporaryFolder();
  try {
    const nginx = await startNginx({
      folder,
      configure: port => {
        const conf = writeConfiguration(folder, port, options);
        return startedWith ? [join(conf, 'start.sh')] : ['-c', join(conf, 'nginx.conf'), '-g', 'daemon off;'];
      },
      ...(startedWith ? { command: '/bin/sh', environment: startedWith } : {}),
    });
    return {
      ...nginx,
      folder,
      log: () => linesOf(join(folder, ACCESS_LOG)),
      async stop() {
        await nginx.stop();
        await removeTemporaryFolder(folder);
      },
    };
  } catch (error) {
    await removeTemporaryFolder(folder);
    throw error;
  }
}

/**
 * Copies the files of `nginx/` into a folder, and replaces the settings that differ from machine to machine.
 *
 * @param folder also takes nginx's own files and the access log
 * @param port on 127.0.0.1, for nginx to listen on
 * @returns the folder of the configuration
 */
export function writeConfiguration(
  folder: string,
  port: number,
  { apis, files = {}, web, logs = ACCESS_LOG }: MachineOptions,
): string {
  const conf = join(folder, 'conf');
  const placed = (text: string) =>
    text
      .replaceAll('/tmp/dropline-nginx', join(folder, 'run'))
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
      .replace(/listen \[::\]:\d+.*/, '')
      .replace(/^( *)access_log \/dev\/stdout/m, `$1access_log ${resolve(folder, logs)}`)
      .replace('/usr/share/dropline/web', web ?? join(folder, 'no-web'))
      .replace(/\bapi-(\d):3000/g, (_, number) => apis[Number(number) - 1] ?? '');
  cpSync(NGINX_FILES, conf, { recursive: true });
  const all = { 'local/many-clients.conf': MANY_CLIENTS, ...files };
  for (const [path, text] of Object.entries(all)) write(join(conf, path), text);
  for (const path of listed(conf)) write(path, placed(readFileSync(path, 'utf8')));
  return conf;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function listed(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(conf|sh)$/.test(name))
    .map(name => join(folder, name));
}

function linesOf(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line));
}
