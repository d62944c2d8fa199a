import { spawnSync } from 'node:child_process';

/** An ordinary user's PATH often lacks the sbin folders. */
const COMMANDS = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'];

/**
 * Returns the command of nginx.
 *
 * @throws with the command that installs nginx; `npm test` installs it by itself
 */
export function nginxBinary(): string {
  const found = COMMANDS.find(command => spawnSync(command, ['-v'], { stdio: 'ignore' }).status === 0);
  if (found) return found;
  throw new Error('the edge tests need nginx: sudo apt-get install -y nginx-light libnginx-mod-http-brotli-static');
}
