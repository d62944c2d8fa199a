// Another limit: node:http with the token check, where all answers of one turn of the event loop leave together, as the API's do.
import type { ServerResponse } from 'node:http';
import { BODY, buyerOf, send, serve } from './serve.js';

let waiting: ServerResponse[] = [];

function answerAll(): void {
  const all = waiting;
  waiting = [];
  for (const res of all) send(res, 200, BODY);
}

serve((req, res) => {
  if (buyerOf(req) === undefined) return send(res, 401, BODY);
  if (waiting.length === 0) setImmediate(answerAll);
  waiting.push(res);
});
