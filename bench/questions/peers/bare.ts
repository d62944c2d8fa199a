import { underLoad } from '../../measure/crowd.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { startBaseline } from '../../rig/server.js';

/** Asks how many requests a second node:http answers here at most, with the token of each verified. */
export async function bare(rig: Rig): Promise<Contestant> {
  const server = await startBaseline(rig, 'bare');
  return {
    name: 'bare',
    async measure() {
      return (await underLoad(rig, { server, crowd: { path: '/buy/bench-00000' }, expected: [200] })).figures;
    },
    close: server.stop,
  };
}
