import { connect } from 'node:net';
import { PROBLEMS } from '#core/rules/errors.js';

// Requests as no client of ours sends them, and what every answer to them must be.

/** Nothing is worth more time than this, in ms: a request without a store, or one that waits for nobody. */
const ANSWER_MS = 4_000;

/** Requests under way at once. */
const LANES = 8;

const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'CONNECT', 'NOPE'];

/** What stands where an id belongs. */
const IDS = [
  'some-id',
  '',
  '%00',
  '%zz',
  '%2e%2e',
  'a%2Fb',
  '%E2%80%AE',
  'ünïcode',
  '__proto__',
  'a%0d%0aX: 1',
  'x'.repeat(65),
  "'%20OR%201=1",
  '/some-id',
  'some-id/',
  'some-id?receipt=%00',
  'some-id?receipt=x&receipt=y',
  'some-id?receipt[a]=x',
];

const QUIRKS = [
  'Content-Type: application/json; charset=utf-99\r\nContent-Length: 2\r\n\r\n{}',
  'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{"',
  'Content-Type: text/xml\r\nContent-Length: 2\r\n\r\n<x',
  'Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx',
  'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Content-Length: -1\r\n\r\n',
  'Content-Length: 9999999\r\n\r\n',
  'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}',
  'Expect: a-miracle\r\n\r\n',
  'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'Cookie: dropline_token=%zz; =; ;;\r\n\r\n',
  'Prefer: wait=99999999999999999999\r\n\r\n',
  'If-None-Match: *\r\nRange: bytes=5-1\r\n\r\n',
  'Accept: text/event-stream\r\nLast-Event-ID: final\r\n\r\n',
  `X: ${'x'.repeat(9_000)}\r\n\r\n`,
];

/**
 * @param routes paths, ending where an id belongs
 * @param credentials values of the header `Authorization`, '' for none
 * @returns every route with every method and id and credential, and with every method and quirk
 */
export function oddRequests(routes: string[], credentials: string[]): string[] {
  const [first = ''] = credentials;
  const head = (method: string, path: string, authorization: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: x\r\n${authorization && `Authorization: ${authorization}\r\n`}`;
  return routes.flatMap(route =>
    METHODS.flatMap(method => [
      ...IDS.flatMap(id => credentials.map(who => `${head(method, route + id, who)}\r\n`)),
      ...QUIRKS.map(quirk => head(method, `${route}some-id`, first) + quirk),
    ]),
  );
}

/**
 * Sends them all.
 *
 * @param port where to
 * @param requests as they go over the wire
 * @returns what was wrong with the answers, a line each
 */
export async function wrongAnswers(port: number, requests: string[]): Promise<string[]> {
  const left = [...requests];
  const wrong: string[] = [];
  const lane = async () => {
    for (let request = left.pop(); request !== undefined; request = left.pop()) {
      const why = whatIsWrong(request, await exchange(port, request));
      if (why) wrong.push(`${why}: ${JSON.stringify(request.slice(0, 200))}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return wrong;
}

/** @returns what comes back until the answer is whole, the server closes, or the time is over */
function exchange(port: number, request: string): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', chunk => {
      answer += chunk;
      if (isWhole(request, answer)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

const INTERIM = /^HTTP\/1\.1 100 [^\r]*\r\n\r\n/;

function isWhole(request: string, answer: string): boolean {
  const [head = '', body] = answer.replace(INTERIM, '').split('\r\n\r\n', 2);
  if (body === undefined) return false;
  if (request.startsWith('HEAD ') || / (204|304) /.test(head.slice(0, 20))) return true;
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  return length === undefined ? body.endsWith('0') : Buffer.byteLength(body) >= Number(length);
}

function whatIsWrong(request: string, answer: string): string | undefined {
  const text = answer.replace(INTERIM, '');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
  if (!status) return 'no answer';
  if (!isWhole(request, answer)) return 'half an answer';
  if (status < 400) return undefined;
  if (!/\r\ncontent-type: application\/problem\+json/i.test(text)) return `${status} without a problem`;
  if (request.startsWith('HEAD ')) return status >= 500 ? `${status}` : undefined;
  const { code } = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { code: keyof typeof PROBLEMS };
  if (PROBLEMS[code]?.status !== status) return `${status} with the code ${code}`;
  return status === 500 ? '500' : undefined;
}
