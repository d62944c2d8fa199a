import type { Database } from './database.js';

/** One repair of a difference between Redis and Postgres. */
export interface Repair {
  kind:
    | 'restored_claim'
    | 'released_claim'
    | 'recorded_status'
    | 'counted_strikes'
    | 'placed_claim'
    | 'promoted'
    | 'rebuilt'
    | 'loaded'
    | 'updated';
  claimId?: string;
  detail: Record<string, string | number | boolean | null>;
}

/** Records repairs of a sale, one row each, in Postgres. */
export async function recordRepairs(db: Database, saleId: string, repairs: Repair[]): Promise<void> {
  if (repairs.length === 0) return;
  await db.repair.createMany({
    data: repairs.map(({ kind, claimId, detail }) => ({ saleId, kind, claimId: claimId ?? null, detail })),
  });
}
