import type pg from 'pg';
import { keysOf } from '#core/redis/keys.js';
import { buyerName, type LoadPlan } from '../../load/plan.js';
import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import { createPool, type Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import { type Server, startBaseline } from '../../rig/server.js';
import { expectClaims } from '../api/wins.js';

const UNITS = 100;
const BUYERS = 1_500;
const CLICKS = 2;
const PRICE = 1_999;

const SCHEMA = `
  CREATE TABLE goods (id text PRIMARY KEY, stock int NOT NULL, price int NOT NULL);
  CREATE TABLE wallets (buyer text PRIMARY KEY, balance int NOT NULL);
  CREATE TABLE purchases (id bigserial PRIMARY KEY, goods text NOT NULL, buyer text NOT NULL)`;

/**
 * Asks whether a shop that checks and then acts sells too much. One impatient crowd, with money for one unit each, goes to
 * the naive shop and to Dropline.
 */
export async function naiveShop(rig: Rig, api: Server): Promise<Contestant[]> {
  const url = await rig.stores.postgres.createDatabase('naive');
  const pool = createPool(url, 1);
  await pool.query(SCHEMA);
  const server = await startBaseline(rig, 'naive', url);
  const close = async () => {
    await server.stop();
    await pool.end();
  };
  return [{ name: 'naive', measure: () => naive(rig, server, pool), close }, sameCrowd(rig, api)];
}

const crowdFor = (saleId: string): Partial<LoadPlan> & { path: string } => ({
  path: `/buy/${saleId}`,
  count: BUYERS,
  clicks: CLICKS,
  // Longer than the slowest run: every click gets its answer.
  seconds: 60,
});

async function naive(rig: Rig, server: Server, pool: pg.Pool): Promise<Record<string, number>> {
  await pool.query('TRUNCATE goods, wallets, purchases');
  await pool.query('INSERT INTO goods VALUES ($1, $2, $3)', ['bench-00000', UNITS, PRICE]);
  const buyers = Array.from({ length: BUYERS }, (_, i) => buyerName(i));
  await pool.query('INSERT INTO wallets SELECT unnest($1::text[]), $2', [buyers, PRICE]);
  const { figures } = await underLoad(rig, {
    server,
    crowd: crowdFor('bench-00000'),
    expected: [202, 402, 409],
  });
  const { rows } = await pool.query(`
    SELECT (SELECT count(*)::int FROM purchases) AS sold, (SELECT count(*)::int FROM wallets WHERE balance < 0) AS overdrawn`);
  const { sold, overdrawn } = rows[0] as { sold: number; overdrawn: number };
  return { perSecond: figures.perSecond, oversold: sold - UNITS, overdrawn };
}

function sameCrowd(rig: Rig, api: Server): Contestant {
  return {
    name: 'dropline',
    async measure() {
      await forgetAll(rig);
      const saleId = await createRedisSale(rig, UNITS);
      const { figures } = await underLoad(rig, {
        server: api,
        crowd: crowdFor(saleId),
        expected: [200, 202, 409],
      });
      await expectClaims(rig, saleId, UNITS);
      const units = new Set((await rig.redis.hvals(keysOf(saleId).claims)).map(record => record.split(' ')[1]));
      return { perSecond: figures.perSecond, oversold: units.size - UNITS };
    },
  };
}
