import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { expectProblem } from './rig/own-answers.js';
import { rawRequest, sendRaw } from './rig/raw.js';
import { type Answer, die, empty, first, type Recorder, say, startRecorder } from './rig/recorder.js';

// APIs that die, freeze or refuse, one request at a time: two servers that misbehave as a test wants.

/** A buyer's page that hears nothing for this long gives up, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10_000;

let apis: [Recorder, Recorder];
let edge: Edge;

beforeAll(async () => {
  apis = [await startRecorder(), await startRecorder()];
  edge = await startEdge({ apis: apis.map(({ host }) => host) });
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all(apis?.map(api => api.stop()) ?? []);
});
beforeEach(() => {
  for (const api of apis) {
    api.arrived.length = 0;
    api.answer = empty;
  }
});

/** Lets both APIs answer in the same way. */
function both(answer: Answer): void {
  for (const api of apis) api.answer = answer;
}

const arrivedAtBoth = (): number => apis[0].arrived.length + apis[1].arrived.length;

async function send(method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(edge.url + path, { method, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  await answer.arrayBuffer();
  return answer.status;
}

describe('a request whose API dies is answered by another one:', () => {
  test.each([
    ['POST', '/buy/dies', {}],
    ['POST', '/webhooks/payments/dies', {}],
    ['GET', '/order-status/dies', {}],
    ['GET', '/order-status/dies', { prefer: 'wait=1' }],
    ['POST', '/order-status/dies', { prefer: 'wait=1' }],
    ['GET', '/sales/dies', {}],
  ])('%s %s with %j', async (method, path, headers) => {
    both(first(die, empty));
    expect(await send(method, path, headers)).toBe(200);
    expect(arrivedAtBoth()).toBe(2);
  });
});

describe('a request whose API freezes is answered by another one', () => {
  test('while a buyer has patience; one that all wait for even sooner, and a wait not at all', async () => {
    const answered: string[] = [];
    const note = async (what: string, status: Promise<number>) => {
      const got = await status;
      answered.push(what);
      return got;
    };
    // The first request for each path is never answered.
    const seen = new Set<string>();
    let letGo: (() => void) | undefined;
    both((req, res) => {
      const path = String(req.url);
      if (path === '/order-status/waits') {
        letGo = () => void res.end();
      } else if (seen.has(path)) res.end();
      else seen.add(path);
    });
    const wait = note('wait', send('GET', '/order-status/waits', { prefer: 'wait=9' }));
    await eventually(() => expect(letGo).toBeDefined(), PATIENCE_MS);
    const click = note('click', send('POST', '/buy/freezes'));
    const poll = send('GET', '/order-status/freezes', { accept: 'application/wait' });
    await eventually(() => expect(seen.size).toBe(2), PATIENCE_MS);
    const sale = note('sale', send('GET', '/sales/freezes'));
    expect(await Promise.all([click, poll, sale])).toEqual([200, 200, 200]);
    letGo?.();
    expect(await wait).toBe(200);
    expect(answered).toEqual(['sale', 'click', 'wait']);
  });
});

describe('a page or a sale that a busy API refuses', () => {
  test.each(['/sales/busy', '/s/busy'])('comes from another one: %s', async path => {
    both(first(say(503), empty));
    expect(await send('GET', path)).toBe(200);
  });

  test('is unavailable, and not refused, if the other one is dead', async () => {
    both(first(say(503, { 'retry-after': '5' }), die));
    expectProblem(await sendRaw(edge.port, rawRequest('GET /sales/busy-and-dead HTTP/1.1')), 'unavailable');
  });
});

describe('an API', () => {
  test('that keeps its requests gets no others', async () => {
    let letGo: (() => void) | undefined;
    both((_, res) => {
      letGo = () => void res.end();
    });
    const kept = send('GET', '/healthz');
    await eventually(() => expect(arrivedAtBoth()).toBe(1), PATIENCE_MS);
    const keeping = apis.findIndex(({ arrived }) => arrived.length === 1);
    for (const [index, api] of apis.entries()) if (index !== keeping) api.answer = empty;
    for (let i = 0; i < 4; i += 1) await send('GET', '/healthz');
    expect(apis[keeping]?.arrived).toHaveLength(1);
    letGo?.();
    await kept;
  });

  test.each([0, 1] as const)('is in service right after a failure: number %i', async index => {
    const [failing, other] = [apis[index], apis[1 - index] as Recorder];
    failing.answer = die;
    await eventually(async () => {
      await send('GET', '/healthz');
      expect(failing.arrived.length).toBeGreaterThan(0);
    }, PATIENCE_MS);
    const failures = failing.arrived.length;
    failing.answer = empty;
    const kept: (() => void)[] = [];
    other.answer = (_, res) => void kept.push(() => res.end());
    // The other API keeps what it gets, so the next requests are for this one.
    const answers = Promise.all([1, 2, 3].map(() => send('GET', '/healthz')));
    await eventually(() => expect(failing.arrived.length).toBeGreaterThan(failures), PATIENCE_MS);
    other.answer = empty;
    await eventually(() => {
      for (const end of kept.splice(0)) end();
      expect(failing.arrived.length + other.arrived.length).toBeGreaterThanOrEqual(failures + 3);
    }, PATIENCE_MS);
    for (const end of kept.splice(0)) end();
    expect(await answers).toEqual([200, 200, 200]);
  });
});
