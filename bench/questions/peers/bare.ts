import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { startBaseline } from '../../rig/server.js';

/**
 * Asks how many requests a second node:http answers here at most, with the token of each verified: each at once, and all of a
 * turn of the event loop together.
 */
export async function bare(rig: Rig): Promise<Contestant[]> {
  return [await contestant(rig, 'bare', 'bare'), await contestant(rig, 'bareTurn', 'bare-turn')];
}

async function contestant(rig: Rig, name: string, file: string): Promise<Contestant> {
  const server = await startBaseline(rig, file);
  return {
    name,
    async measure() {
      return (await underLoad(rig, { server, crowd: { path: '/buy/bench-00000' }, expected: [200] })).figures;
    },
    close: server.stop,
  };
}
