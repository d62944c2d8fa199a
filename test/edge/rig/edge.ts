import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { removeTemporary, temporaryFolder } from '#stack/stores/temporary-folder.js';
import { type Nginx, startNginx } from './nginx.js';

/** A line of the access log. */
export interface LogLine {
  path: string;
  status: number;
  /** Empty when no API was asked. */
  upstream: string;
  cache: string;
}

/** What differs from place to place. */
export interface Placing {
  /** Where the APIs are: two, as `nginx/upstream.conf` names them. */
  apis: readonly string[];
  /** Further files by their path below `nginx/`. */
  files?: Readonly<Record<string, string>>;
  /** The built page on nginx's own disk; without it the assets come from the API. */
  web?: string;
  /** Where the access log goes; into the folder if not given. */
  logs?: string;
}

export interface EdgeOptions extends Placing {
  /** Started by `start.sh`, with this environment, instead of `nginx -c`. */
  startedWith?: Readonly<Record<string, string>>;
}

/** The project's own nginx files, running. */
export interface Edge extends Nginx {
  folder: string;
  /** The access log so far; nginx writes it every second. */
  log(): LogLine[];
}

/** Lets a test be many clients: nginx takes the address from the header, as it does behind a load balancer. */
const MANY_CLIENTS = 'set_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\n';

/** A location of the test's own, to see that nginx itself answers. */
const READY_PATH = '/nginx-is-there';
const READY = `location = ${READY_PATH} { return 204; }\n`;

/** Within the folder of an nginx. */
const ACCESS_LOG = 'access.log';

/**
 * Starts nginx with the files of `nginx/`. Only what differs from place to place is replaced: where it listens and logs,
 * where the APIs are, and the folder for its own files.
 *
 * @param options where the APIs are
 * @returns nginx, which listens; stop() removes its folder
 */
export async function startEdge({ startedWith, ...options }: EdgeOptions): Promise<Edge> {
  const folder = await temporaryFolder();
  try {
    const nginx = await startNginx({
      folder,
      configure: port => {
        const conf = writeConfiguration(folder, port, options);
        return startedWith ? [join(conf, 'start.sh')] : ['-c', join(conf, 'nginx.conf'), '-g', 'daemon off;'];
      },
      ...(startedWith ? { command: '/bin/sh', environment: startedWith } : {}),
      readyPath: READY_PATH,
    });
    return {
      ...nginx,
      folder,
      log: () => linesOf(join(folder, ACCESS_LOG)),
      async stop() {
        await nginx.stop();
        await removeTemporary(folder);
      },
    };
  } catch (error) {
    await removeTemporary(folder);
    throw error;
  }
}

/**
 * Writes the files of `nginx/` as they are, but for what differs from place to place.
 *
 * @param folder takes the configuration, nginx's own files and its access log
 * @param port where it is to listen on 127.0.0.1
 * @param options where the APIs are
 * @returns the folder of the configuration
 */
export function writeConfiguration(
  folder: string,
  port: number,
  { apis, files = {}, web, logs = ACCESS_LOG }: Placing,
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
  cpSync(join(checkout, 'nginx'), conf, { recursive: true });
  const all = { 'local/many-clients.conf': MANY_CLIENTS, 'local/server/ready.conf': READY, ...files };
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
