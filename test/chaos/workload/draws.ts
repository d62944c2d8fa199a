import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '#core/postgres/database.js';
import { decideDraw } from '#core/postgres/draws/draws.js';
import { drawKeyOf, keysOf } from '#core/redis/keys.js';
import { repliesOf, runIdOf } from '#core/redis/replies.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { DrawRead, PublishedFacts } from '../history/draw-facts.js';
import type { History } from '../history/history.js';
import type { Client, EntryReceipt } from './client.js';
import type { Draws } from './world.js';

/** The time between two reads of a draw, and between two tries to give a value, in ms. */
const WATCH_EVERY_MS = 400;
const REST_MS = 200;

/** A draw is watched from its opening on for this time, in ms. Its order is made in the first seconds. */
const WATCHED_MS = 20 * SECOND_MS;

/** The stores and the draws of a run. */
export interface DrawsOptions {
  connections: { redis: Shards; db: Database };
  draws: Draws;
  history: History;
  signal: AbortSignal;
}

/** Reads the draws again and again, as the public does. */
export async function readDraws({ connections, draws, history, signal }: DrawsOptions): Promise<void> {
  while (!signal.aborted) {
    const nowMs = Date.now();
    const watched = draws.all.filter(({ opensAtMs }) => opensAtMs <= nowMs && nowMs < opensAtMs + WATCHED_MS);
    // A Redis that is away is read later.
    const reads = await Promise.all(watched.map(({ id }) => readDrawNow(connections.redis, id).catch(() => undefined)));
    for (const read of reads) if (read) history.note(read);
    await pauseUntil(WATCH_EVERY_MS, signal);
  }
}

/** Reads a draw at one instant; undefined if Redis was not compared with Postgres, so that nobody learns anything. */
async function readDrawNow(redis: Shards, saleId: string): Promise<DrawRead | undefined> {
  const atMs = Date.now();
  const { sale, standby } = keysOf(saleId);
  const [[runId, state], about, tickets, info] = await redis
    .of(saleId)
    .multi()
    .hmget(sale, 'runId', 'draw')
    .hget(drawKeyOf(saleId), 'about')
    .zrange(standby, '0', '-1', 'WITHSCORES')
    .info('server')
    .exec()
    .then(repliesOf<[(string | null)[], string | null, string[], string]>);
  if (runId == null || runId !== runIdOf(info)) return undefined;
  const { commitment, entries, root, seed, value } = JSON.parse(about ?? '{}') as PublishedFacts;
  const published = JSON.parse(JSON.stringify({ commitment, entries, root, seed, value })) as PublishedFacts;
  return { type: 'draw', atMs, saleId, published, isOrdered: state === 'ordered', standby: ticketsIn(tickets) };
}

/** Pairs the buyers of a sorted set with their tickets. */
export function ticketsIn(withScores: readonly string[]): [buyerId: string, ticket: number][] {
  return withScores.flatMap((buyerId, i) =>
    i % 2 === 0 ? [[buyerId, Number(withScores[i + 1])] satisfies [string, number]] : [],
  );
}

/** Gives each draw that awaits a public value two values at once, as two operators would, until it has one. */
export async function giveValues({ connections, draws, signal }: Omit<DrawsOptions, 'history'>): Promise<void> {
  const open = new Set(draws.withValue);
  while (!signal.aborted && open.size > 0) {
    for (const id of open) {
      const given = await Promise.all(
        ['1 2 3', '4 5 6'].map(value =>
          decideDraw(connections.db, id, { value, isSubstitute: false }).catch(() => false),
        ),
      );
      if (given.includes(true)) open.delete(id);
    }
    await pauseUntil(REST_MS, signal);
  }
}

/**
 * Lets all buyers with the receipt of an entry come back with it.
 *
 * @param limitMs a buyer without an answer goes home after this time, in ms
 */
export async function returnWithEntries(client: Client, limitMs: number): Promise<void> {
  const endsAt = performance.now() + limitMs;
  await Promise.all(client.entryReceipts().map(receipt => comeBack(client, receipt, endsAt)));
}

async function comeBack(client: Client, { saleId, buyerId, receipt }: EntryReceipt, endsAt: number): Promise<void> {
  while (performance.now() < endsAt) {
    const answer = await client.ask('order-status', saleId, buyerId, { receipt });
    if (answer.http === 200) return;
    await pause(REST_MS);
  }
}
