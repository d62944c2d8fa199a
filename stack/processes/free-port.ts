import { randomInt } from 'node:crypto';
import getPort from 'get-port';

/**
 * Ports are taken from below the range that Linux uses for outgoing connections (32768 and up). In that range a client that
 * reconnects to a stopped server can be given the server's own port. It then connects to itself.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;
/** With 20 random candidates one of them is free. If none is, get-port takes any port. */
const CANDIDATES = 20;

/** Finds a port on 127.0.0.1 that is free now. Another process may take it before its use: be ready to ask again. */
export function freePort(): Promise<number> {
  const port = Array.from({ length: CANDIDATES }, () => randomInt(FIRST_PORT, LAST_PORT));
  return getPort({ port, host: '127.0.0.1' });
}
