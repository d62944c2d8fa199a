import getPort from 'get-port';
import { freePort } from './free-port.js';

/**
 * @param port the one that people know
 * @returns whether nobody listens there on 127.0.0.1 now
 */
export async function isPortFree(port: number): Promise<boolean> {
  return (await getPort({ port, host: '127.0.0.1' })) === port;
}

/**
 * @param port the one that people know
 * @returns that port if it is free, else any other
 */
export async function preferredPort(port: number): Promise<number> {
  return (await isPortFree(port)) ? port : freePort();
}
