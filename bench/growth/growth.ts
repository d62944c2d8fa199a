import { describe, type Figures } from '../measure/round.js';
import type { BeforeEnd, Rig } from '../rig/rig.js';
import { bigSale } from './big-sale.js';
import { draw } from './draw.js';
import { expiry } from './expiry.js';
import { idleSales } from './idle-sales.js';
import { restart } from './restart.js';
import { streams } from './streams.js';

/** A question about growth: its sizes, and its figures at each of them. */
export interface Grown {
  name: string;
  /** The name of that of which there are more and more, such as "idle sales". */
  of: string;
  points: { size: number; figures: Figures }[];
}

/** The sizes at which a question is asked: all of them, and the few of a quick run. */
interface Question {
  of: string;
  sizes: { full: number[]; quick: number[] };
  ask(rig: Rig, size: number, beforeEnd: BeforeEnd): Promise<Figures>;
}

const SALES = { of: 'idle sales', sizes: { full: [1, 100, 1_000, 10_000], quick: [1, 100] } };
const ORDERS = {
  of: 'orders of one sale',
  sizes: { full: [10_000, 100_000, 1_000_000, 2_000_000], quick: [1_000, 10_000] },
};

const EXPIRING = {
  of: 'expiring orders',
  sizes: { full: [10_000, 100_000, 165_000], quick: [1_000, 10_000] },
};

const STREAMS = { of: 'event streams', sizes: { full: [1_000, 3_000, 10_000], quick: [100, 1_000] } };

const ENTRIES = { of: 'entries of one draw', sizes: { full: [10_000, 100_000, 1_000_000], quick: [1_000, 10_000] } };

const QUESTIONS: Readonly<Record<string, Question>> = {
  idle: { ...SALES, ask: idleSales },
  restart: { ...SALES, ask: restart },
  bigSale: { ...ORDERS, ask: bigSale },
  expiry: { ...EXPIRING, ask: expiry },
  draw: { ...ENTRIES, ask: draw },
  streams: { ...STREAMS, ask: streams },
};

/** Asks every question about growth at each size, from small to large. */
export async function measureGrowth(rig: Rig, beforeEnd: BeforeEnd): Promise<Grown[]> {
  const grown: Grown[] = [];
  for (const [name, { of, sizes, ask }] of Object.entries(QUESTIONS)) {
    if (rig.options.only && !rig.options.only.includes(name)) continue;
    const points: Grown['points'] = [];
    for (const size of rig.options.quick ? sizes.quick : sizes.full) {
      const figures = await ask(rig, size, beforeEnd);
      rig.tell(`${name}  ${size} ${of}  ${describe(figures)}`);
      points.push({ size, figures });
    }
    grown.push({ name, of, points });
  }
  return grown;
}
