import { underLoad } from '../../measure/measure.js';
import type { Contestant } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { startBaseline } from '../../rig/server.js';

/** What is the most that node:http can answer here, with the token of every request verified? */
export async function bare(rig: Rig): Promise<Contestant> {
  const server = await startBaseline(rig, 'bare');
  return {
    name: 'bare',
    async measure() {
      return (await underLoad(rig, server, { path: '/buy/bench-00000' }, [200])).figures;
    },
    close: server.stop,
  };
}
