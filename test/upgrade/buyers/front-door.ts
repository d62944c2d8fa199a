import { Pool } from 'undici';
import { issueToken } from '#core/identity/token.js';
import { type Answer, type Call, parseAnswer } from '#stack/crowd/storefront.js';
import { type History, outcomeOf } from '../../chaos/history/history.js';
import { type Client, createClient, replyOf } from '../../chaos/workload/client.js';
import type { Random } from '../../chaos/workload/random.js';

/** The number of APIs that a request is sent to until one answers, as in nginx/proxy.conf. */
const TRIES = 2;

/** Of each API; those who wait for news keep theirs. */
const CONNECTIONS = 256;

/** An API answers within 2 s, and those who wait within this longer time, in ms. */
const ANSWER_MS = 10_000;

/** How long some buyers let their question wait for news, in s. */
const WAIT_SECONDS = 3;

/** How long some buyers follow a stream, in ms. */
const STREAM_MS = 4_000;

/** While a buyer has one of these statuses, the next one comes by itself. */
const COMES_BY_ITSELF = new Set<string | undefined>(['queued', 'standby']);

export interface FrontDoorOptions {
  baseUrls: readonly string[];
  /** Signs the buyers' tokens. */
  authSecret: string;
  history: History;
  random: Random;
}

interface Question {
  call: Call;
  saleId: string;
  buyerId: string;
}

interface HttpQuestion {
  path: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
}

/**
 * Connects buyers to several APIs as nginx does: a request that one API does not answer goes to another one. Buyers
 * poll, wait with `Prefer`, and read streams.
 */
export function createFrontDoor(options: FrontDoorOptions): Client {
  const { baseUrls, authSecret, history, random } = options;
  const elsewhere = createClient({ baseUrls: [], authSecret, history, random });
  const pools = baseUrls.map(
    url => new Pool(url, { connections: CONNECTIONS, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS }),
  );

  async function through(send: (pool: Pool) => Promise<Answer>): Promise<Answer> {
    let answer: Answer = { http: 0 };
    for (const pool of random.shuffle(pools).slice(0, TRIES)) {
      answer = await send(pool).catch(() => ({ http: 0 }));
      if (answer.http !== 0) break;
    }
    return answer;
  }

  async function askOnce(question: Question, http: HttpQuestion): Promise<Answer> {
    const tell = history.invoke(question);
    const answer = await through(pool => request(pool, http));
    tell(outcomeOf(answer.http), replyOf(answer));
    return answer;
  }

  /** The state of an event was read at some time since the stream began, and not later than the event came. */
  async function followStream(question: Question, http: HttpQuestion): Promise<Answer> {
    const openedAtMs = Date.now();
    const answer = await through(async pool => {
      let last: Answer = { http: 0 };
      for await (const event of eventsOf(pool, http)) {
        last = event;
        history.invoke(question, openedAtMs)(outcomeOf(event.http), replyOf(event));
        if (!COMES_BY_ITSELF.has(event.status)) break;
      }
      return last;
    });
    if (answer.http === 0) history.invoke(question, openedAtMs)('info', { http: 0 });
    return answer;
  }

  return {
    ...elsewhere,
    ask(call, saleId, buyerId, { receipt } = {}) {
      const question = { call, saleId, buyerId };
      const isRead = call === 'order-status';
      const mayWait = isRead || call === 'buy';
      const headers = {
        authorization: `Bearer ${issueToken(authSecret, buyerId)}`,
        ...(mayWait && random.chance(0.3) ? { prefer: `wait=${WAIT_SECONDS}` } : {}),
      };
      const path = `/${call}/${saleId}${isRead && receipt ? `?receipt=${receipt}` : ''}`;
      const http: HttpQuestion = { path, method: isRead ? 'GET' : 'POST', headers };
      return isRead && random.chance(0.2) ? followStream(question, http) : askOnce(question, http);
    },
    close: async () => void (await Promise.all(pools.map(pool => pool.destroy()))),
  };
}

async function request(pool: Pool, http: HttpQuestion): Promise<Answer> {
  const { statusCode, body } = await pool.request(http);
  return { ...parseAnswer(await body.text()), http: statusCode };
}

/** The events of a stream, until it or the buyer's patience ends; what is no stream is one answer. */
async function* eventsOf(pool: Pool, { headers, ...http }: HttpQuestion): AsyncGenerator<Answer> {
  const signal = AbortSignal.timeout(STREAM_MS);
  const accept = { ...headers, accept: 'text/event-stream' };
  const { statusCode, headers: got, body } = await pool.request({ ...http, headers: accept, signal });
  if (got['content-type'] !== 'text/event-stream') {
    yield { ...parseAnswer(await body.text()), http: statusCode };
    return;
  }
  let text = '';
  try {
    for await (const chunk of body) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) yield { ...parseAnswer(data), http: statusCode };
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
