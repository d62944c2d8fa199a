// The limit: node:http with the token check. The answer is a constant, as long as the API's refusal.
import { buyerOf, send, serve } from './serve.js';

const BODY = JSON.stringify({
  type: 'urn:dropline:problem:sold_out',
  title: 'All units are sold',
  status: 409,
  code: 'sold_out',
});

serve((req, res) => {
  if (buyerOf(req) === undefined) send(res, 401, BODY);
  else send(res, 200, BODY);
});
