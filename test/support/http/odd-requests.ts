// Requests that no client of the project sends.

const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'CONNECT', 'NOPE'];

/** Path segments in the position of an id. */
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
 * Writes requests as they go over the wire: every route with every method, id and credential, and with every method and
 * quirk.
 *
 * @param routes paths that an id completes
 * @param credentials values of the header `Authorization`, '' for none
 */
export function oddRequests(routes: string[], credentials: string[]): string[] {
  const [first = ''] = credentials;
  const head = (method: string, path: string, authorization: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization && `Authorization: ${authorization}\r\n`}`;
  return routes.flatMap(route =>
    METHODS.flatMap(method => [
      ...IDS.flatMap(id => credentials.map(credential => `${head(method, route + id, credential)}\r\n`)),
      ...QUIRKS.map(quirk => head(method, `${route}some-id`, first) + quirk),
    ]),
  );
}
