import { type Crowd, crowdSize, underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll } from '../../rig/sale.js';
import { startBaseline } from '../../rig/server.js';

const SALE = 'bench-00000';
/** Elements of one RPUSH. */
const CHUNK = 5_000;
/** With more buyers trying for the lock at once, Redis would do nothing but refuse it. */
const FEW_BUYERS = { connections: 16, depth: 1 } as const;

/** Asks how fast the classic form of a claim is, one Redis command after another. */
export function classic(rig: Rig): Promise<Contestant> {
  return listAndHash(rig, 'classic');
}

/** Asks how fast the classic form is with a lock around the whole purchase. */
export function lock(rig: Rig): Promise<Contestant> {
  return listAndHash(rig, 'lock', FEW_BUYERS);
}

async function listAndHash(rig: Rig, name: 'classic' | 'lock', load: Partial<Crowd> = {}): Promise<Contestant> {
  const server = await startBaseline(rig, name);
  return {
    name,
    async measure() {
      await forgetAll(rig);
      const units = Array.from({ length: crowdSize(rig) }, (_, i) => i + 1);
      while (units.length > 0) await rig.redis.rpush(`${name}:${SALE}:stock`, ...units.splice(-CHUNK));
      const crowd = { path: `/buy/${SALE}`, ...load };
      return (await underLoad(rig, { server, crowd, expected: [202] })).figures;
    },
    close: server.stop,
  };
}
