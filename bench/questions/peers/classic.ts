import { type Crowd, crowdSize, underLoad } from '../../measure/measure.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { forgetAll } from '../../rig/sale.js';
import { startBaseline } from '../../rig/server.js';

const SALE = 'bench-00000';
/** Elements of one RPUSH. */
const CHUNK = 5_000;
/** With more buyers who try for the lock at once, trying is all that Redis does. */
const WAITING = { connections: 16, depth: 1 } as const;

/** How fast is the claim in the classic form, with one Redis command after another? */
export function classic(rig: Rig): Promise<Contestant> {
  return listAndHash(rig, 'classic');
}

/** How fast is it with a lock around the whole purchase? */
export function lock(rig: Rig): Promise<Contestant> {
  return listAndHash(rig, 'lock', WAITING);
}

async function listAndHash(rig: Rig, name: 'classic' | 'lock', few: Partial<Crowd> = {}): Promise<Contestant> {
  const server = await startBaseline(rig, name);
  return {
    name,
    async measure() {
      await forgetAll(rig);
      const units = Array.from({ length: crowdSize(rig) }, (_, i) => i + 1);
      while (units.length > 0) await rig.redis.rpush(`${name}:${SALE}:stock`, ...units.splice(-CHUNK));
      return (await underLoad(rig, server, { path: `/buy/${SALE}`, ...few }, [202])).figures;
    },
    close: server.stop,
  };
}
