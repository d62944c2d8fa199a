// The limit: node:http with the token check, and each answer at once.
import { BODY, buyerOf, send, serve } from './serve.js';

serve((req, res) => {
  if (buyerOf(req) === undefined) send(res, 401, BODY);
  else send(res, 200, BODY);
});
