import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { PROBLEMS } from '#core/rules/errors.js';
import { freePort } from '#stack/processes/free-port.js';
import { startGuarded } from '#stack/processes/guarded-process.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { build } from '../support/build.js';
import { eventually } from '../support/eventually.js';
import { createCertificate } from './rig/certificate.js';
import { type Edge, type EdgeOptions, NO_APIS, startEdge, writeConfiguration } from './rig/edge.js';
import { sendRaw } from './rig/raw.js';

// The starts of nginx, without any API. nginx answers all requests of these tests by itself.

const PATH = `${process.env.PATH}:/usr/sbin`;

let folder: string;
/** The servers of a test. They end after the test, also when it fails. */
const running: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  await build();
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(server => server.stop()));
});
afterAll(() => removeTemporaryFolder(folder));

/** Starts nginx until the end of the test. */
async function startUntilEnd(options: EdgeOptions): Promise<Edge> {
  const edge = await startEdge(options);
  running.push(edge);
  return edge;
}

describe('start.sh', () => {
  test('starts where standard output is a socket, and the access log arrives there', async () => {
    const port = await freePort();
    const conf = writeConfiguration(join(folder, 'socket'), port, { apis: NO_APIS, logs: '/dev/stdout' });
    // Node gives a child sockets for `pipe`, as systemd does for its journal.
    const nginx = await startGuarded({
      command: '/bin/sh',
      args: [join(conf, 'start.sh')],
      cwd: conf,
      environment: { PATH },
      output: 'pipe',
      stopSignal: 'SIGTERM',
      graceMs: 5_000,
    });
    running.push(nginx);
    let written = '';
    nginx.stdout?.on('data', chunk => {
      written += chunk;
    });
    await eventually(async () =>
      expect((await fetch(`http://127.0.0.1:${port}/metrics?receipt=secret`)).status).toBe(404),
    );
    await eventually(() => expect(written).toContain('"path":"/metrics","status":404'));
    expect(written).not.toContain('secret');
  });

  test('keeps its files from other users of the machine', async () => {
    const edge = await startUntilEnd({ apis: NO_APIS, startedWith: { PATH } });
    expect(statSync(join(edge.folder, 'run-conf')).mode & 0o777).toBe(0o700);
  });

  test('starts while a name has no address, and takes the API when it has one', async () => {
    const bin = join(folder, 'bin');
    const names = join(folder, 'names');
    mkdirSync(bin);
    writeFileSync(names, '');
    // The test has a name service of its own, as the machine's must not be changed.
    writeFileSync(join(bin, 'getent'), `#!/bin/sh\ngrep " $2\\$" ${names}\n`);
    chmodSync(join(bin, 'getent'), 0o755);
    // Another nginx stands for an API: it answers here, and nobody answers before it has an address.
    const behind = { 'local/server/behind.conf': 'location = /behind { return 204; }\n' };
    const api = await startUntilEnd({ apis: NO_APIS, files: behind });
    const apis = [`api-one.test:${api.port}`, `api-two.test:${api.port}`];
    const edge = await startUntilEnd({ apis, startedWith: { PATH: `${bin}:${PATH}` } });
    const passedOn = async () => (await fetch(`${edge.url}/behind`)).status;
    expect(await passedOn()).toBe(503);
    writeFileSync(names, '127.0.0.1 api-two.test\n');
    await eventually(async () => expect(await passedOn()).toBe(204));
    // A name that is away for a moment keeps its last address, also while another name gets one.
    writeFileSync(names, '127.0.0.1 api-one.test\n');
    await eventually(() => {
      const servers = readFileSync(join(edge.folder, 'run-conf/upstream.conf'), 'utf8').match(/^ *server .*/gm);
      expect(servers?.map(line => line.trim())).toEqual(Array(2).fill(`server 127.0.0.1:${api.port} max_fails=0;`));
    });
    expect(await passedOn()).toBe(204);
  });
});

describe('TLS by nginx/examples/tls.conf', () => {
  test('HTTP/2 works, and a client without TLS gets 400', async () => {
    const port = await freePort();
    const pair = createCertificate(folder);
    const tls = readFileSync(join(checkout, 'nginx/examples/tls.conf'), 'utf8')
      .replace('listen 8443', `listen 127.0.0.1:${port}`)
      .replace('/etc/dropline/tls/fullchain.pem', pair.certificate)
      .replace('/etc/dropline/tls/privkey.pem', pair.key);
    await startUntilEnd({ apis: NO_APIS, files: { 'local/server/tls.conf': tls } });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on('error', () => undefined); // the answer reports it
    const [headers] = await once(session.request({ ':path': '/metrics' }), 'response');
    expect(headers[':status']).toBe(404);
    expect(session.alpnProtocol).toBe('h2');
    session.destroy();
    const plain = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(plain).toMatchObject({ status: 400, body: expect.stringContaining(PROBLEMS.invalid_request.title) });
  });
});

describe('brotli', () => {
  test('is sent where the module is loaded', async () => {
    const web = join(checkout, 'dist/apps/web');
    const files = {
      'local/main/brotli.conf': 'load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;\n',
      'local/brotli.conf': 'brotli_static on;\n',
    };
    const edge = await startUntilEnd({ apis: NO_APIS, files, web });
    const asset = /\/assets\/page\.[0-9a-f]{10}\.js/.exec(readFileSync(join(web, 'index.html'), 'utf8'))?.[0];
    const request = `GET ${asset} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: br\r\n\r\n`;
    expect((await sendRaw(edge.port, request)).headers).toMatchObject({ 'content-encoding': 'br' });
  });
});
