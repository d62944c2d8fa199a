import type { SaleState } from '../../rules/sale.js';

/** A change of one buyer: the claim as it is now, or joining or leaving standby. */
export type BuyerChange =
  | { kind: 'claim'; buyerId: string; record: string }
  | { kind: 'joined'; buyerId: string }
  | { kind: 'left'; buyerId: string };

/** The changes that one script made in a sale. Values are absolute; absent ones are unchanged. */
export interface Change {
  /** Counts every change of the sale. After a gap, a mirror is stale. */
  version: number;
  /** Counts the published messages. */
  published: number;
  free?: number;
  waiting?: number;
  standbyCap: number;
  /** `unverified`: this run of Redis was not compared with Postgres, so the sale gives out nothing. */
  state: SaleState | 'unverified';
  buyers: BuyerChange[];
}

/**
 * Parses a message of the change feed, as lua/include/changes.lua writes it.
 *
 * @throws Error when the message has another form: no script writes one
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
