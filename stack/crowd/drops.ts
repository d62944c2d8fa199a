import { exitCodeOf, type Reckoning, type Verdict } from './reckoning.js';

/** The verdict about one of several drops. */
export interface DropVerdict extends Verdict {
  saleId: string;
  /** The address of the Redis that has the drop. */
  node: string;
}

/** The counts of a reckoning. All but `auditOk`. */
type Count = Exclude<keyof Reckoning, 'auditOk'>;

/** Adds up the verdicts about several drops. Each line about a violation begins with the drop. */
export function totalOf(drops: readonly DropVerdict[]): Verdict {
  const sum = (count: Count) => drops.reduce((total, { reckoning }) => total + reckoning[count], 0);
  return {
    reckoning: {
      units: sum('units'),
      buyers: sum('buyers'),
      joined: sum('joined'),
      drawing: sum('drawing'),
      claimed: sum('claimed'),
      soldOut: sum('soldOut'),
      placed: sum('placed'),
      paid: sum('paid'),
      cancelled: sum('cancelled'),
      duplicates: sum('duplicates'),
      oversold: sum('oversold'),
      lost: sum('lost'),
      auditOk: drops.every(({ reckoning }) => reckoning.auditOk),
    },
    wrong: drops.flatMap(({ saleId, wrong }) => wrong.map(line => `${saleId}: ${line}`)),
  };
}

/** Tells in one line for each drop where it was sold and how it ended. */
export function dropsText(drops: readonly DropVerdict[]): string {
  const width = Math.max(...drops.map(({ saleId }) => saleId.length));
  const line = ({ saleId, node, reckoning: r }: DropVerdict) =>
    `${saleId.padEnd(width)} on ${node}: ${r.placed} of ${r.units} units placed, ${r.paid} paid, oversold ${r.oversold}, ` +
    `two orders ${r.duplicates}, lost ${r.lost}, ${r.auditOk ? 'the audit holds' : 'THE AUDIT DOES NOT HOLD'}`;
  return `\n${drops.map(line).join('\n')}\n`;
}

/** Returns the exit code of a program that sold several drops: 0 if it sold one or more, and the verdict about each holds. */
export function exitCodeOfDrops(drops: readonly DropVerdict[]): 0 | 1 {
  return drops.length > 0 && drops.every(drop => exitCodeOf(drop, 0) === 0) ? 0 : 1;
}
