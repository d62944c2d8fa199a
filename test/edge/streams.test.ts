import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { type Edge, startEdge } from './rig/edge.js';
import { type Nginx, startNginx } from './rig/nginx.js';

// Often another proxy stands in front of nginx: the shop's own, or an ingress. With its defaults such a proxy buffers answers.

let stack: TestStack;
let edge: Edge;
let shop: Nginx;
let folder: string;

const shopConfig = (port: number) => `
pid ${folder}/nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/unused;
  uwsgi_temp_path ${folder}/unused;
  scgi_temp_path ${folder}/unused;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${edge.url};
    }
  }
}`;

beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
  edge = await startEdge({ apis: stack.baseUrls.map(url => new URL(url).host) });
  folder = await createTemporaryFolder();
  const configure = (port: number) => {
    writeFileSync(join(folder, 'nginx.conf'), shopConfig(port));
    return ['-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
  };
  shop = await startNginx({ folder, configure, readyPath: '/healthz' });
});
afterAll(async () => {
  await shop?.stop();
  if (folder) await removeTemporaryFolder(folder);
  await edge?.stop();
  await stack?.stop();
});

test('a stream through a second proxy reports each change at once', async () => {
  const saleId = await stack.createSale({ units: 1 });
  await stack.buy('ann', saleId);
  const leaving = new AbortController();
  const answer = await fetch(`${shop.url}/order-status/${saleId}`, {
    headers: { authorization: `Bearer ${stack.token('ann')}`, accept: 'text/event-stream' },
    signal: leaving.signal,
  });
  let told = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    told += chunk;
    // The first event reports the order. A proxy that buffers would hold each event back until it has 4 kB, or until the end.
    if (told.includes('"pending_payment"') && !told.includes('cancelled')) await stack.cancel('ann', saleId);
    if (told.includes('"cancelled"')) break;
  }
  leaving.abort();
  expect(told).toMatch(/event: status/);
  expect(told).toMatch(/"status":"cancelled"/);
}, 30_000);
