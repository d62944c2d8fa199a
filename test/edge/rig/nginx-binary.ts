import { spawnSync } from 'node:child_process';

/** An ordinary user's PATH often lacks the sbin folders. */
const COMMANDS = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'];

/**
 * Finds nginx.
 *
 * @returns the command of it
 * @throws with the command that installs it; `npm test` does so by itself
 */
export function nginxBinary(): string {
  const found = COMMANDS.find(command => spawnSync(command, ['-v'], { stdio: 'ignore' }).status === 0);
  if (found) return found;
  throw new Error('the edge tests need nginx: sudo apt-get install -y nginx-light libnginx-mod-http-brotli-static');
}
