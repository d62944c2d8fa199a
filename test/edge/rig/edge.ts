import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

export interface EdgeOptions {
  /** Where the APIs are: two, as `nginx/upstream.conf` names them. */
  apis: readonly string[];
  /** Further files by their path below `nginx/`. */
  files?: Readonly<Record<string, string>>;
  /** The built page on nginx's own disk; without it the assets come from the API. */
  web?: string;
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
const READY = 'location = /nginx-is-there { return 204; }\n';

/**
 * Starts nginx with the files of `nginx/`. Only what differs from place to place is replaced: where it listens and logs,
 * where the APIs are, and the folder for its own files.
 *
 * @param options where the APIs are
 * @returns nginx, which listens; stop() removes its folder
 */
export async function startEdge({ apis, files = {}, web }: EdgeOptions): Promise<Edge> {
  const folder = await temporaryFolder();
  const conf = join(folder, 'conf');
  const accessLog = join(folder, 'access.log');
  const placed = (port: number) => (text: string) =>
    text
      .replaceAll('/tmp/dropline-nginx', join(folder, 'run'))
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
      .replace(/listen \[::\]:8080.*/, '')
      .replace('access_log /dev/stdout', `access_log ${accessLog}`)
      .replace('/usr/share/dropline/web', web ?? join(folder, 'no-web'))
      .replace(/\bapi-(\d):3000/g, (_, number) => apis[Number(number) - 1] ?? '');
  const configure = (port: number) => {
    cpSync(join(checkout, 'nginx'), conf, { recursive: true });
    const all = { 'local/many-clients.conf': MANY_CLIENTS, 'local/server/ready.conf': READY, ...files };
    for (const [path, text] of Object.entries(all)) write(join(conf, path), text);
    for (const path of listed(conf)) write(path, placed(port)(readFileSync(path, 'utf8')));
    return join(conf, 'nginx.conf');
  };
  try {
    const nginx = await startNginx({ folder, configure, readyPath: '/nginx-is-there' });
    return {
      ...nginx,
      folder,
      log: () => linesOf(accessLog),
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

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function listed(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.conf'))
    .map(name => join(folder, name));
}

function linesOf(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map(line => JSON.parse(line));
}
