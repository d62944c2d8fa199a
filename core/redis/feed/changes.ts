import type { SaleState } from '../../rules/sale.js';

/** What happened to one buyer: their claim as it is now, or that they are in line now or not any more. */
export type BuyerChange =
  | { kind: 'claim'; buyerId: string; record: string }
  | { kind: 'joined'; buyerId: string }
  | { kind: 'left'; buyerId: string };

/** What one script changed in a sale. Values are absolute; what isn't there stays as it is. */
export interface Change {
  /** Counts every change of the sale; after a gap, a mirror of the sale is out of date. */
  version: number;
  /** Counts what was told. */
  published: number;
  free?: number;
  waiting?: number;
  standbyCap: number;
  /** `unverified`: this run of Redis was not compared with Postgres, so nothing is given out. */
  state: SaleState | 'unverified';
  buyers: BuyerChange[];
}

/**
 * Reads a message of the change feed, as lua/include/changes.lua writes it.
 *
 * @param text the message
 * @returns what it tells
 * @throws Error when it has another form, as none of the scripts would have written it
 */
export function parseChange(text: string): Change {
  const [head = '', ...lines] = text.split('\n');
  const [version, published, free, waiting, standbyCap, state] = head.split(' ');
  if (!version || !published || !state) throw new Error(`change of another form: ${head}`);
  return {
    version: Number(version),
    published: Number(published),
    ...(free === '-' ? {} : { free: Number(free) }),
    ...(waiting === '-' ? {} : { waiting: Number(waiting) }),
    standbyCap: Number(standbyCap),
    state: state as Change['state'],
    buyers: lines.map(parseLine),
  };
}

function parseLine(line: string): BuyerChange {
  const end = line.indexOf(' ', 2);
  switch (line[0]) {
    case 'c':
      return { kind: 'claim', buyerId: line.slice(2, end), record: line.slice(end + 1) };
    case 'j':
      return { kind: 'joined', buyerId: line.slice(2) };
    case 'l':
      return { kind: 'left', buyerId: line.slice(2) };
    default:
      throw new Error(`change of another form: ${line}`);
  }
}
