import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

const SEED_MAX = 2 ** 31;

/**
 * Reads the commit that an upgrade begins with.
 *
 * @returns the full hash: of `UPGRADE_FROM`, which `npm run test:upgrade -- --from REV` sets, or of test/upgrade/from.json
 * @throws Error with one line that says how to get the commit, when this clone doesn't have it
 */
export async function readFrom(): Promise<string> {
  const named: { commit: string } = JSON.parse(await readFile(join(import.meta.dirname, '..', 'from.json'), 'utf8'));
  return commitOf(process.env.UPGRADE_FROM ?? named.commit);
}

/** @returns the seed of an upgrade: `UPGRADE_SEED`, which `npm run test:upgrade -- --seed N` sets, or another one each time */
export function readSeed(): number {
  return Number(process.env.UPGRADE_SEED ?? randomInt(SEED_MAX));
}

/**
 * Reads which commit a revision means.
 *
 * @param revision a hash, a tag or a branch
 * @returns the full hash
 * @throws Error with one line that says how to get the commit, when this clone doesn't have it
 */
export async function commitOf(revision: string): Promise<string> {
  try {
    const args = ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`];
    return (await promisify(execFile)('git', args, { cwd: checkout })).stdout.trim();
  } catch {
    throw new Error(
      `the upgrade test needs commit ${revision}, which this clone does not have: git fetch --unshallow, or git fetch origin ${revision}`,
    );
  }
}
