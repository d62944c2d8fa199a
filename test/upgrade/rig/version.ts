import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** One of the two versions that meet in an upgrade. */
export interface Version {
  name: 'old' | 'new';
  /** The clone that its processes and commands run from. */
  folder: string;
}

/** A command that takes longer than this hangs, in ms; on a busy machine one takes some seconds. */
const COMMAND_MS = 180_000;

/** A command gives a store 3 s to answer, which isn't always enough on a busy machine. Every command is safe to repeat. */
const TRIES = 3;
const STORE_AWAY = /does not answer/;

/**
 * Runs a command of the operator, as `npm run cli` of that version does.
 *
 * @param version whose command
 * @param args as typed after `npm run cli --`
 * @param environment the addresses of the stores, and nothing else
 * @returns what it printed on standard output
 * @throws Error with what it printed, when it fails
 */
export async function cli(
  version: Version,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<string> {
  const command = [join('bin', 'bootstrap.mjs'), 'apps/cli/main', ...args];
  const options = { cwd: version.folder, env: environment, timeout: COMMAND_MS };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await promisify(execFile)(process.execPath, command, options)).stdout;
    } catch (error) {
      const said = saidBy(error);
      if (attempt < TRIES && STORE_AWAY.test(said)) continue;
      throw new Error(`${version.name} cli ${args.join(' ')}: ${said}`);
    }
  }
}

/** Findings are printed on standard output, everything else that fails a command on standard error. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) return String(error);
  return `${error.stdout}${error.stderr}`.trim() || error.message;
}

/**
 * Does something with each of some items, with two at the same time: a command keeps a core busy while it starts.
 *
 * @param items in the order in which they are begun
 * @param work done with each of them
 */
export async function twoAtATime<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const goOn = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([goOn(), goOn()]);
}
