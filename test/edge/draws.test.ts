import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Edge, startEdge } from './rig/edge.js';
import { type RawAnswer, rawRequest, sendRaw } from './rig/raw.js';
import { type Answer, die, empty, type Recorder, say, startRecorder } from './rig/recorder.js';

// The list of a draw, which never changes, in front of a server that counts the requests that arrive.

const LIMIT_MS = 20_000;
const TRIES = 20;

let api: Recorder;
let edge: Edge;

beforeAll(async () => {
  api = await startRecorder();
  edge = await startEdge({ apis: [api.host, api.host] });
});
afterAll(async () => {
  await edge?.stop();
  await api?.stop();
});
beforeEach(() => {
  api.arrived.length = 0;
  api.answer = empty;
});

const get = (path: string, ...headers: string[]): Promise<RawAnswer> =>
  sendRaw(edge.port, rawRequest(`GET ${path} HTTP/1.1`, ...headers));

const pathsArrived = () => api.arrived.map(({ url }) => url);

describe('of a draw,', () => {
  const KEEP = { 'cache-control': 'public, max-age=31536000, immutable' };

  test('each part of the list is kept for as long as the API says', async () => {
    api.answer = (req, res) => void res.writeHead(200, KEEP).end(`part ${req.url}.`);
    for (let i = 0; i < TRIES; i += 1) await get(`/draws/kept/entries/0?${i}`);
    expect(pathsArrived()).toEqual(['/draws/kept/entries/0']);
    const { body, headers } = await get('/draws/kept/entries/1');
    expect([body.includes('part /draws/kept/entries/1.'), headers['cache-control']]).toEqual([
      true,
      KEEP['cache-control'],
    ]);
  });

  test('a part that is not there yet is asked for again', async () => {
    api.answer = say(404, { 'cache-control': 'no-store' });
    await get('/draws/early/entries/0');
    api.answer = say(200, KEEP, 'the part');
    expect((await get('/draws/early/entries/0')).body).toContain('the part');
  });

  test.each<[string, Answer]>([
    ['dies', die],
    ['is busy', say(503)],
  ])('a part that was kept is there while the API %s', async (what, answer) => {
    const path = `/draws/${what.replace(' ', '-')}/entries/0`;
    api.answer = say(200, { 'cache-control': 'max-age=1' }, 'the part');
    await get(path);
    api.answer = answer;
    const before = api.arrived.length;
    const answers: RawAnswer[] = [];
    await eventually(async () => {
      answers.push(await get(path));
      expect(api.arrived.length).toBeGreaterThan(before);
    }, LIMIT_MS);
    expect(answers.filter(({ status, body }) => status !== 200 || !body.includes('the part'))).toEqual([]);
  });

  test('the proof of a buyer is never kept, and comes with the token', async () => {
    api.answer = (req, res) => void res.writeHead(200, KEEP).end(`for ${req.headers.authorization}.`);
    for (const buyer of ['ann', 'ben']) {
      const { body } = await get('/draws/kept/proof', `Authorization: Bearer ${buyer}`);
      expect(body).toContain(`for Bearer ${buyer}.`);
    }
    expect(pathsArrived()).toEqual(['/draws/kept/proof', '/draws/kept/proof']);
  });
});
