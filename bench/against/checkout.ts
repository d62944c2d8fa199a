import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { MINUTE_MS, withDeadline } from '#core/rules/clock.js';
import { type GuardedCommand, type GuardedProcess, startGuarded } from '#stack/processes/guarded-process.js';
import { createOutputTail } from '#stack/processes/output.js';
import { type Readiness, startReadyProcess } from '../rig/ready-process.js';

/** The npm scripts that a comparison drives a checkout by. */
const SCRIPTS = ['cli', 'start:api', 'start:worker'] as const;
type ScriptName = (typeof SCRIPTS)[number];

/** The first command of a fresh clone installs packages and compiles, on a busy machine for minutes. */
const SET_UP_MS = 10 * MINUTE_MS;
const COMMAND_MS = MINUTE_MS;
const STOP_MS = 10_000;
const OUTPUT_CHARS = 4_000;

type Environment = Readonly<Record<string, string>>;

/** A checkout of Dropline of any version, known only by the commands in its package.json. */
export interface Checkout {
  folder: string;
  scripts: Record<ScriptName, string>;
}

/**
 * Reads the commands of a checkout, and has them do the set-up that is missing (packages, database client, dist/).
 *
 * @throws Error in one line, when the folder is no checkout of Dropline or can't be set up
 */
export async function readCheckout(folder: string): Promise<Checkout> {
  const { name, scripts } = await readPackage(folder);
  const missing = SCRIPTS.filter(script => typeof scripts?.[script] !== 'string');
  if (name !== 'dropline' || missing.length > 0)
    throw new Error(
      `${folder} is not a checkout of Dropline: its package.json has no ${missing.join(', ') || 'such name'}`,
    );
  const checkout = { folder, scripts: scripts as Record<ScriptName, string> };
  // Only the set-up needs the whole environment: npm reads its registry, its proxy and its cache from there.
  const environment = Object.fromEntries(Object.entries(process.env).filter(isSet));
  await runToEnd(checkout, ['--help'], { environment, withinMs: SET_UP_MS });
  return checkout;
}

const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined;

async function readPackage(folder: string): Promise<{ name?: unknown; scripts?: Record<string, unknown> }> {
  try {
    return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  } catch {
    throw new Error(`${folder} is not a checkout of Dropline: it has no readable package.json`);
  }
}

/**
 * Runs the command line of a checkout to its end.
 *
 * @param environment the settings of the command; it inherits none of ours
 * @throws Error in one line, when the command fails or takes longer than a minute
 */
export async function runCli(checkout: Checkout, args: string[], environment: Environment): Promise<void> {
  await runToEnd(checkout, args, { environment, withinMs: COMMAND_MS });
}

/**
 * Starts a server of a checkout and waits until it is ready.
 *
 * @throws Error with the end of its output, when it ends or is not ready in time
 */
export function startScript(
  checkout: Checkout,
  script: ScriptName,
  { environment, ...ready }: { environment: Environment } & Omit<Readiness, 'name'>,
): Promise<GuardedProcess> {
  const command = commandOf(checkout, { script, args: [], environment });
  return startReadyProcess(command, { name: `npm run ${script} in ${checkout.folder}`, ...ready });
}

async function runToEnd(
  checkout: Checkout,
  args: string[],
  { environment, withinMs }: { environment: Environment; withinMs: number },
): Promise<void> {
  const what = `npm run cli -- ${args.join(' ')} in ${checkout.folder}`;
  const command = commandOf(checkout, { script: 'cli', args, environment });
  const child = await startGuarded({ ...command, output: 'pipe', stopSignal: 'SIGTERM' });
  const tail = createOutputTail(OUTPUT_CHARS);
  const streams = [child.stdout, child.stderr].filter(stream => stream !== null);
  for (const stream of streams) tail.follow(stream);
  const ended = Promise.all([child.ended, ...streams.map(stream => finished(stream))]);
  try {
    const [{ code }] = await withDeadline(ended, withinMs, what);
    if (code !== 0) throw new Error(`${what} failed: ${lastLine(tail.text())}`);
  } finally {
    if (!child.exit()) await child.kill();
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

interface Call {
  script: ScriptName;
  args: string[];
  environment: Environment;
}

/** Runs a script as npm does, without npm: `exec` makes the shell's process the program's, whose CPU time is then read. */
function commandOf(
  { folder, scripts }: Checkout,
  { script, args, environment }: Call,
): Omit<GuardedCommand, 'output' | 'stopSignal'> {
  const path = [join(folder, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH ?? ''];
  return {
    command: '/bin/sh',
    args: ['-c', `exec ${scripts[script]} "$@"`, script, ...args],
    cwd: folder,
    environment: { ...environment, PATH: path.join(delimiter) },
    graceMs: STOP_MS,
  };
}
