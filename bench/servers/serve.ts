import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { buyerVerifier } from '#core/identity/token.js';

/** What a baseline is started with, in the order of its arguments. */
const [port = '', secret = '', redisUrl = '', databaseUrl = ''] = process.argv.slice(2);
export const settings = { redisUrl, databaseUrl };

const verify = buyerVerifier(secret);
const BEARER_CHARS = 'Bearer '.length;

/** The same token check that the API makes, and nothing around it. */
export function buyerOf(req: IncomingMessage): string | undefined {
  return verify((req.headers.authorization ?? '').slice(BEARER_CHARS));
}

/** Sends a whole answer with as few headers as a client can do with. */
export function send(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

/** @returns what stands behind the first slash of the path that isn't its first character: the sale */
export function saleOf(req: IncomingMessage): string {
  const url = req.url ?? '';
  return url.slice(url.indexOf('/', 1) + 1);
}

/** Listens, and says so on standard output. */
export function serve(listener: RequestListener): void {
  createServer({ keepAliveTimeout: 65_000 }, listener).listen(
    { port: Number(port), host: '127.0.0.1', backlog: 4_096 },
    () => process.stdout.write('ready\n'),
  );
}
