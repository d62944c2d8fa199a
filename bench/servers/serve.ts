import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createBuyerVerifier, TOKEN_LIFE_MS } from '#core/identity/token.js';

const [port = '', secret = '', redisUrl = '', databaseUrl = ''] = process.argv.slice(2);
/** The stores of a baseline, from its command line. */
export const settings = { redisUrl, databaseUrl };

const verify = createBuyerVerifier([secret], { audience: undefined, lifeMaxMs: TOKEN_LIFE_MS });
const BEARER_CHARS = 'Bearer '.length;

/** The answer of both limits, as long as the API's refusal. */
export const BODY = JSON.stringify({
  type: 'urn:dropline:problem:sold_out',
  title: 'All units are sold',
  status: 409,
  code: 'sold_out',
});

/** Verifies the buyer's token as the API does, and returns the buyer's id; undefined for a token that is not valid. */
export function buyerOf(req: IncomingMessage): string | undefined {
  const verdict = verify((req.headers.authorization ?? '').slice(BEARER_CHARS));
  return verdict.kind === 'buyer' ? verdict.buyerId : undefined;
}

/** Sends a whole answer with no more headers than a client needs. */
export function send(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

/** Returns the sale's id, the second part of the path. */
export function saleOf(req: IncomingMessage): string {
  const url = req.url ?? '';
  return url.slice(url.indexOf('/', 1) + 1);
}

/** Listens on 127.0.0.1 and then writes `ready` to standard output. */
export function serve(listener: RequestListener): void {
  createServer({ keepAliveTimeout: 65_000 }, listener).listen(
    { port: Number(port), host: '127.0.0.1', backlog: 4_096 },
    () => process.stdout.write('ready\n'),
  );
}
