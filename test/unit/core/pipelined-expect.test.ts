import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { answerMalformed } from '#core/http/malformed.js';

const FIRST = 'GET /first HTTP/1.1\r\nHost: x\r\n\r\n';
const SECOND =
  'POST /second HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n';

let server = createServer();
afterEach(() => void server.close());

/** Sends both requests at once, and returns the heads and bodies of the answers in their order, without headers. */
async function answersOf(listener: RequestListener): Promise<string> {
  server = answerMalformed(createServer(listener)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  let mayContinue = false;
  socket.on('data', chunk => {
    text += chunk;
    if (mayContinue || !text.includes('100 Continue')) return;
    mayContinue = true;
    socket.write('{}');
  });
  socket.write(FIRST + SECOND);
  await once(socket, 'close');
  return text.replace(/(HTTP\/1\.1 \d+) [^\r]*\r\n(?:[^\r]+\r\n)*\r\n/g, '[$1]');
}

/** Holds the answer to the first request until the second one is handled. Answers are bytes, as most of Express are. */
function inThisOrder(answerSecond: (req: IncomingMessage, res: ServerResponse) => void): RequestListener {
  let first: ServerResponse | undefined;
  return (req, res) => {
    if (!first) {
      first = res;
      return;
    }
    answerSecond(req, res);
    first.end(Buffer.from('one'));
  };
}

test('a pipelined request that is answered without its body gets no 100', async () => {
  const answers = await answersOf(inThisOrder((_req, res) => res.end(Buffer.from('two'))));
  expect(answers).toBe('[HTTP/1.1 200]one[HTTP/1.1 200]two');
});

test('a pipelined request that needs its body gets 100 after the answers before it', async () => {
  const answerSecond = (req: IncomingMessage, res: ServerResponse) =>
    req.resume().once('end', () => res.end(Buffer.from('two')));
  expect(await answersOf(inThisOrder(answerSecond))).toBe('[HTTP/1.1 200]one[HTTP/1.1 100][HTTP/1.1 200]two');
});
