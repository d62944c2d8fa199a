import { drawKeyOf } from '../keys.js';
import type { Shards } from '../shards.js';

// One hash has all that is published of a draw: 'about', its facts as JSON; 'chunks', the directory of the chunks; and each chunk of
// entries under its number, from 0. A chunk and the directory never change once they are written.

/** Lets everybody read the facts of a draw. */
export async function publishAbout(redis: Shards, saleId: string, about: string): Promise<void> {
  await redis.of(saleId).hset(drawKeyOf(saleId), 'about', about);
}

/** Lets everybody read a chunk of entries. */
export async function publishChunk(
  redis: Shards,
  saleId: string,
  { number, entries }: { number: number; entries: Buffer },
): Promise<void> {
  await redis.of(saleId).hset(drawKeyOf(saleId), String(number), entries);
}

/** Lets everybody read the directory of the chunks. */
export async function publishDirectory(redis: Shards, saleId: string, directory: Buffer): Promise<void> {
  await redis.of(saleId).hset(drawKeyOf(saleId), 'chunks', directory);
}

/** Reads the facts of a draw, as JSON; undefined for a sale without one, or one that Redis has lost. */
export async function readAbout(redis: Shards, saleId: string): Promise<string | undefined> {
  return (await redis.of(saleId).hget(drawKeyOf(saleId), 'about')) ?? undefined;
}

/** Reads the directory of the chunks; undefined before the draw is closed. */
export async function readDirectory(redis: Shards, saleId: string): Promise<Buffer | undefined> {
  return (await redis.of(saleId).hgetBuffer(drawKeyOf(saleId), 'chunks')) ?? undefined;
}

/** Reads a chunk of entries; undefined if there is none with this number. */
export async function readChunk(redis: Shards, saleId: string, number: number): Promise<Buffer | undefined> {
  return (await redis.of(saleId).hgetBuffer(drawKeyOf(saleId), String(number))) ?? undefined;
}
