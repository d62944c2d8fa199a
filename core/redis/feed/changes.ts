import type { SaleState } from '../../rules/sale.js';

/** A change of one buyer in a sale: the claim as it is now, or joining or leaving standby. */
export type BuyerChange =
  | { kind: 'claim'; buyerId: string; record: string }
  | { kind: 'joined'; buyerId: string }
  | { kind: 'left'; buyerId: string };

/**
 * The changes that one Lua script made in a sale, or several within some milliseconds, published as one message. Values are
 * absolute; absent ones are unchanged.
 */
export interface Change {
  /** Counts every change of the sale. After a gap, an API's copy of the sale (its mirror) is stale. */
  version: number;
  /** The version of the first of these changes. */
  since: number;
  /** Counts the changes of the sale that are published. */
  published: number;
  free?: number;
  waiting?: number;
  standbyCap: number;
  /** `unverified`: the sale was not compared with Postgres in this run of Redis, so it gives out nothing. */
  state: SaleState | 'unverified';
  buyers: BuyerChange[];
}

/**
 * Parses a message about a sale's changes, as lua/include/changes.lua publishes it.
 *
 * @throws Error when the message has another form, which no script writes
 */
export function parseChange(text: string): Change {
  const [head = '', ...lines] = text.split('\n');
  // A script of an earlier version names no first version, as each of its changes is a message.
  const [version, published, free, waiting, standbyCap, state, since = version] = head.split(' ');
  if (!version || !published || !state) throw new Error(`change of another form: ${head}`);
  return {
    version: Number(version),
    since: Number(since),
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
