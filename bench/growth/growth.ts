import { describe, type Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { idleSales } from './idle-sales.js';
import { restart } from './restart.js';

/** A question about growth: its sizes, and its figures at each of them. */
export interface Grown {
  name: string;
  /** The name of that of which there are more and more, such as "idle sales". */
  of: string;
  points: { size: number; figures: Figures }[];
}

const SALES = [1, 100, 1_000, 10_000];
const FEW_SALES = [1, 100];

/** Asks every question about growth at each size, from small to large. */
export async function measureGrowth(rig: Rig, beforeEnd: BeforeEnd): Promise<Grown[]> {
  const sizes = rig.options.quick ? FEW_SALES : SALES;
  const questions = {
    idle: (size: number) => idleSales(rig, size),
    restart: (size: number) => restart(rig, size, beforeEnd),
  };
  const grown: Grown[] = [];
  for (const [name, ask] of Object.entries(questions)) {
    if (rig.options.only && !rig.options.only.includes(name)) continue;
    const points: Grown['points'] = [];
    for (const size of sizes) {
      const figures = await ask(size);
      rig.tell(`${name}  ${size} idle sales  ${describe(figures)}`);
      points.push({ size, figures });
    }
    grown.push({ name, of: 'idle sales', points });
  }
  return grown;
}
