import { parseArgs } from 'node:util';

/** How much is measured. */
export interface Options {
  /** Ends with one line of JSON on standard output. */
  json: boolean;
  quick: boolean;
  /** Only these questions; all without. */
  only: string[] | undefined;
  rounds: number;
  /** How long a server is under load, per round, in s. */
  seconds: number;
  /** Claims in the backlog that a worker drains. */
  backlog: number;
  /** The same for what is measured in the stores. */
  storeRounds: number;
  endToEndSeconds: number;
  latencySeconds: number;
  memorySeconds: number;
  /** Connections of the load, and requests under way on each of them. */
  connections: number;
  depth: number;
  /** Where the API's and the worker's CPU profiles go. */
  profile: string | undefined;
  /** Writes bench/results/ and the picture. */
  save: boolean;
}

const FULL = { rounds: 5, seconds: 2, backlog: 100_000, storeRounds: 5, endToEndSeconds: 30, latencySeconds: 10 };
const QUICK = { rounds: 2, seconds: 0.7, backlog: 10_000, storeRounds: 1, endToEndSeconds: 4, latencySeconds: 2 };
const QUICK_MEMORY_MINUTES = '0.05';

/** As many connections as nginx keeps open to one API process (nginx/upstream.conf), and as no proxy pipelines, one request on each. */
const LOAD = '256x1';

/**
 * @param args of the command line
 * @returns what they ask for
 * @throws TypeError, with what is wrong, for an option that doesn't exist
 */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      'memory-minutes': { type: 'string' },
      load: { type: 'string', default: LOAD },
      profile: { type: 'string' },
    },
  });
  const size = values.quick ? QUICK : FULL;
  const memoryMinutes = Number(values['memory-minutes'] ?? (values.quick ? QUICK_MEMORY_MINUTES : '1'));
  const rounds = values.rounds === undefined ? size.rounds : Number(values.rounds);
  if (!(rounds >= 1 && memoryMinutes > 0)) throw new TypeError('--rounds and --memory-minutes take a positive number');
  const [connections = 0, depth = 0] = values.load.split('x').map(Number);
  if (!(connections >= 1 && depth >= 1)) throw new TypeError(`--load takes connections x requests, as ${LOAD}`);
  if (values.save && (values.only || values.quick))
    throw new TypeError('--save keeps whole runs: no --only, no --quick');
  return {
    ...size,
    json: values.json,
    quick: values.quick,
    save: values.save,
    only: values.only?.split(','),
    profile: values.profile,
    rounds,
    connections,
    depth,
    storeRounds: values.rounds === undefined ? size.storeRounds : rounds,
    memorySeconds: memoryMinutes * 60,
  };
}
