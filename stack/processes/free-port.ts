import { randomInt } from 'node:crypto';
import getPort from 'get-port';

/**
 * Below the range from which Linux takes the local ports of outgoing connections (32768 and up). A client that keeps trying
 * to reach a stopped server on a port of that range can be given the very same port, and connects to itself.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;
/** Enough that one is free; if none is, get-port takes any. */
const CANDIDATES = 20;

/** A port on 127.0.0.1 that is free now. Somebody else may take it before we do: be ready to ask again. */
export function freePort(): Promise<number> {
  const port = Array.from({ length: CANDIDATES }, () => randomInt(FIRST_PORT, LAST_PORT));
  return getPort({ port, host: '127.0.0.1' });
}
