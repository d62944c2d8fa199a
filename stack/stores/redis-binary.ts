import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';

const NAMES = ['redis-server', 'valkey-server'];
/** An ordinary user's PATH often lacks the sbin folders, and a supervisor's PATH lacks Homebrew. */
const FOLDERS = ['', '/usr/bin/', '/usr/local/bin/', '/usr/sbin/', '/usr/local/sbin/', '/opt/homebrew/bin/'];
/** Debian's way to say "install, but start nothing": a script with exit code 101. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const START_NOTHING = '#!/bin/sh\nexit 101\n';
const INSTALL_DEADLINE_MS = 300_000;

const MISSING = `Dropline needs a Redis server and found neither redis-server nor valkey-server. One of these fixes it:
  sudo apt-get update && sudo apt-get install -y redis-server   (Debian, Ubuntu)
  brew install redis                                            (macOS)
  docker compose up                                             (everything in containers)
or set REDIS_URL to one that you run.`;

function runs(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function find(): string | undefined {
  return FOLDERS.flatMap(folder => NAMES.map(name => folder + name)).find(runs);
}

async function apt(...args: string[]): Promise<boolean> {
  const child = spawn('env', ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-q', ...args], {
    // Its output goes to stderr: our standard output may have to end with one line of JSON.
    stdio: ['ignore', 2, 2],
    timeout: INSTALL_DEADLINE_MS,
  });
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** Installs the package without letting it start a server of its own on port 6379. */
async function install(): Promise<void> {
  process.stderr.write(
    'No Redis server on this machine: installing the package redis-server (apt-get; nothing is started).\n',
  );
  const ours = !existsSync(POLICY_FILE);
  if (ours) await writeFile(POLICY_FILE, START_NOTHING, { mode: 0o755 });
  try {
    // The package lists may be missing or too old. If they can't be updated, the old ones may still do.
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', 'redis-server');
  } finally {
    if (ours) await rm(POLICY_FILE, { force: true });
  }
}

/**
 * Finds the command of a Redis-compatible server. As root on Debian or Ubuntu, it installs the package if there is none.
 *
 * @throws with the commands that fix it
 */
export async function locateRedisBinary(): Promise<string> {
  const present = find();
  if (present) return present;
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version') && runs('apt-get');
  if (mayInstall) await install();
  const installed = mayInstall ? find() : undefined;
  if (installed) return installed;
  throw new Error(MISSING);
}
