import getPort from 'get-port';
import { freePort } from './free-port.js';

/** Tells whether nobody listens on this port of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await getPort({ port, host: '127.0.0.1' })) === port;
}

/** Finds a port on 127.0.0.1: the preferred one if it is free, otherwise any other. */
export async function preferredPort(port: number): Promise<number> {
  return (await isPortFree(port)) ? port : freePort();
}
