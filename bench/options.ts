import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROUNDS_MIN } from './against/ratio.js';

/** The extent of a run. */
export interface Options {
  /** Ends with one line of JSON on standard output. */
  json: boolean;
  quick: boolean;
  /** The names of the questions to ask; all of them if not given. */
  only: string[] | undefined;
  rounds: number;
  /** How long a server is under load in each round, in s. */
  seconds: number;
  /** Claims in the backlog that a worker drains. */
  backlog: number;
  /** Rounds of the questions about the stores. */
  storeRounds: number;
  endToEndSeconds: number;
  latencySeconds: number;
  memorySeconds: number;
  /** Connections of the load generator. */
  connections: number;
  /** Requests in flight on each connection. */
  depth: number;
  /** The folder for CPU profiles of the API and the worker. */
  profile: string | undefined;
  /** Writes bench/results/ and the pictures. */
  save: boolean;
  /** The folder of another checkout to compare with; then nothing else is measured. */
  against: string | undefined;
  /** Measures how figures grow with the number of sales; then nothing else is measured. */
  growth: boolean;
  /** How long sales without buyers are watched, in s. */
  idleSeconds: number;
  /** The least ratio, new / old, that the interval of each compared rate must reach. */
  promise: number | undefined;
}

const FULL = {
  rounds: 5,
  seconds: 2,
  backlog: 100_000,
  storeRounds: 5,
  endToEndSeconds: 30,
  latencySeconds: 10,
  idleSeconds: 30,
};
const QUICK = {
  rounds: 2,
  seconds: 0.7,
  backlog: 10_000,
  storeRounds: 1,
  endToEndSeconds: 4,
  latencySeconds: 2,
  idleSeconds: 10,
};
const QUICK_MEMORY_MINUTES = '0.05';

/** nginx keeps 256 connections open to one API process (nginx/upstream.conf), and no proxy pipelines requests. */
const LOAD = '256x1';

/** Options of the ordinary benchmark that a comparison has no use for. */
const NOT_WITH_AGAINST = ['save', 'only', 'memory-minutes', 'profile'] as const;

/**
 * Reads the command line.
 *
 * @throws TypeError naming an unknown option, or a value or combination that makes no sense
 */
export function readOptions(args: string[]): Options {
  const values = parse(args);
  const size = values.quick ? QUICK : FULL;
  const memoryMinutes = Number(values['memory-minutes'] ?? (values.quick ? QUICK_MEMORY_MINUTES : '1'));
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (!((rounds ?? 1) >= 1 && memoryMinutes > 0))
    throw new TypeError('--rounds and --memory-minutes take a positive number');
  if (values.save && (values.only || values.quick))
    throw new TypeError('--save keeps whole runs: no --only, no --quick');
  if (values.growth && values.against !== undefined) throw new TypeError('--growth does not go with --against');
  const { against, promise } = readComparison(values);
  return {
    ...size,
    ...readLoad(values.load),
    json: values.json,
    quick: values.quick,
    save: values.save,
    only: values.only?.split(','),
    profile: values.profile,
    growth: values.growth,
    rounds: rounds ?? (against === undefined ? size.rounds : ROUNDS_MIN),
    storeRounds: rounds ?? size.storeRounds,
    memorySeconds: memoryMinutes * 60,
    against,
    promise,
  };
}

type Values = ReturnType<typeof parse>;

function parse(args: string[]) {
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
      against: { type: 'string' },
      growth: { type: 'boolean', default: false },
      promise: { type: 'string' },
    },
  });
  return values;
}

function readLoad(load: string): Pick<Options, 'connections' | 'depth'> {
  const [connections = 0, depth = 0] = load.split('x').map(Number);
  if (!(connections >= 1 && depth >= 1)) throw new TypeError(`--load takes connections x requests, such as ${LOAD}`);
  return { connections, depth };
}

function readComparison(values: Values): Pick<Options, 'against' | 'promise'> {
  const { against, promise } = values;
  if (against === undefined) {
    if (promise !== undefined) throw new TypeError('--promise needs --against');
    return { against: undefined, promise: undefined };
  }
  const useless = NOT_WITH_AGAINST.filter(name => values[name]);
  if (useless.length > 0) throw new TypeError(`--against does not go with --${useless.join(', --')}`);
  if (Number(values.rounds ?? ROUNDS_MIN) < ROUNDS_MIN)
    throw new TypeError(`--against needs at least ${ROUNDS_MIN} rounds for its 95 % interval`);
  if (promise !== undefined && !(Number(promise) > 0)) throw new TypeError('--promise takes a ratio, such as 0.97');
  return { against: resolve(against), promise: promise === undefined ? undefined : Number(promise) };
}
