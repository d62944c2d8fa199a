import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '#stack/processes/free-port.js';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { type Recorder, startRecorder } from './rig/recorder.js';

// Clients that begin a request and do not end it.

/** nginx waits for the longest of them for 12 s. */
const LIMIT_MS = 30_000;

let api: Recorder;
let edge: Edge;
let http2Port: number;

beforeAll(async () => {
  api = await startRecorder();
  http2Port = await freePort();
  const files = { 'local/server/http2.conf': `listen 127.0.0.1:${http2Port} http2;\n` };
  edge = await startEdge({ apis: [api.host, api.host], files });
});
afterAll(async () => {
  await edge?.stop();
  await api?.stop();
});

test('slow clients are given up: first where all buyers wait for the answer, then at a header, then at a body', async () => {
  const over: string[] = [];
  const reset = () => undefined;
  const note = (what: string) => () => void over.push(what);
  // An API answers when it has read the whole body.
  api.answer = () => undefined;
  const body = connect(edge.port, '127.0.0.1');
  body.on('error', reset).on('close', note('body')).resume();
  body.write('POST /webhooks/payments/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx');
  await eventually(() => expect(api.arrived).toHaveLength(1), LIMIT_MS);
  const header = connect(edge.port, '127.0.0.1');
  header.on('error', reset).on('close', note('header')).resume();
  header.write('GET / HTTP/1.1\r\nHost:');
  // Only in HTTP/2 a body may come without any header that announces it.
  const session = connectHttp2(`http://127.0.0.1:${http2Port}`);
  const stream = session.request({ ':path': '/sales/slow', ':method': 'POST' }, { endStream: false });
  stream.on('error', reset).on('close', note('sale'));
  await eventually(() => expect(over).toEqual(['sale', 'header', 'body']), LIMIT_MS);
  // The request for the sale never reached the API.
  expect(api.arrived).toHaveLength(1);
  session.destroy();
});
