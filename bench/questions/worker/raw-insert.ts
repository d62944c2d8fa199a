import { randomUUID } from 'node:crypto';
import { PLACE_BATCH_MAX } from '#core/rules/claim.js';
import { buyerName } from '../../load/plan.js';
import { familyCpuSeconds } from '../../measure/cpu.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createWholeSale, forgetAll } from '../../rig/sale.js';

const MICROS = 1e6;

/** Inserts the rows and nothing else: no price from the sale, no conflicts, nothing returned. */
const INSERT = `
  INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
  SELECT c.id, $1, c.buyer_id, c.unit, 'pending_payment', 1999, 'EUR', now() + interval '1 hour'
  FROM unnest($2::uuid[], $3::text[], $4::int[]) AS c (id, buyer_id, unit)`;

/**
 * Asks how fast Postgres takes the same rows in statements as large as the worker's, with nothing else to do.
 *
 * @param connections how many insert at the same time; the worker uses four
 */
export function rawInsert(rig: Rig, connections: number): Contestant {
  return {
    name: `rawInsert${connections}`,
    async measure() {
      await forgetAll(rig);
      const saleId = await createWholeSale(rig, rig.options.backlog);
      const statements = batchesOf(rig.options.backlog, PLACE_BATCH_MAX);
      const cpu = familyCpuSeconds(rig.stores.postgres.pid);
      const startMs = performance.now();
      const next = statements.values();
      const insertAll = async () => {
        for (const rows of next) await rig.pool.query({ name: 'raw-insert', text: INSERT, values: [saleId, ...rows] });
      };
      await Promise.all(Array.from({ length: connections }, insertAll));
      const seconds = (performance.now() - startMs) / 1_000;
      const postgres = familyCpuSeconds(rig.stores.postgres.pid) - cpu;
      return { perSecond: rig.options.backlog / seconds, postgresMicros: (postgres * MICROS) / rig.options.backlog };
    },
  };
}

function batchesOf(count: number, size: number): [string[], string[], number[]][] {
  return Array.from({ length: Math.ceil(count / size) }, (_, batch) => {
    const indexes = Array.from({ length: Math.min(size, count - batch * size) }, (_, i) => batch * size + i);
    return [indexes.map(() => randomUUID()), indexes.map(i => buyerName(i)), indexes.map(i => i + 1)];
  });
}
