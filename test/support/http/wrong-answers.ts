import { connect } from 'node:net';
import { PROBLEMS } from '#core/rules/errors.js';

/** Time limit of an answer, in ms. No odd request reaches a store or waits for news. */
const ANSWER_MS = 60_000;

/** Requests in flight at once. */
const LANES = 8;

/**
 * Sends requests, and checks every answer: a whole answer in time, and for an error a problem document whose code fits the
 * HTTP status. The status 500 is always wrong.
 *
 * @param requests texts as they go over the wire
 * @returns a line for each wrong answer
 */
export async function wrongAnswers(port: number, requests: string[]): Promise<string[]> {
  const left = [...requests];
  const wrong: string[] = [];
  const lane = async () => {
    for (let request = left.pop(); request !== undefined; request = left.pop()) {
      const why = mistakeIn(request, await exchange(port, request));
      if (why) wrong.push(`${why}: ${JSON.stringify(request.slice(0, 200))}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return wrong;
}

/** Sends one request, and collects the reply until it is whole, the server closes, or the time is over. */
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

function mistakeIn(request: string, answer: string): string | undefined {
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
