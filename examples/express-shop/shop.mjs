// A shop in front of Dropline. It logs buyers in, serves the page with the buy button, and hears what becomes of each order.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseCookie } from 'cookie';
import express from 'express';
import { createSigner, createVerifier } from 'fast-jwt';

const { AUTH_SECRET, SHOP_WEBHOOK_SECRET, DROPLINE_URL, SALE_ID, SHOP_PORT = '4100', NODE_ENV } = process.env;
const LIFE_MS = 2 * 60 * 60 * 1_000;
const TOLERANCE_SECONDS = 300;
const COOKIE = { httpOnly: true, sameSite: 'strict', secure: NODE_ENV === 'production', maxAge: LIFE_MS };

const sign = createSigner({ key: AUTH_SECRET, algorithm: 'HS256', expiresIn: LIFE_MS });
const verify = createVerifier({ key: AUTH_SECRET, algorithms: ['HS256'] });
const tokenOf = req => parseCookie(req.headers.cookie ?? '').dropline_token ?? '';
const orders = new Map(); // A real shop keeps them in its database.
const app = express();

// The signature covers the raw bytes, so the body is parsed only after the signature has been checked.
app.post('/webhooks/dropline', express.raw({ type: () => true }), (req, res) => {
  if (!isSigned(req.body ?? '', req.get('dropline-signature'))) return res.sendStatus(400);
  const { type, data } = JSON.parse(req.body);
  // A webhook may come twice. Writing it under the order's id makes the second one a no-op.
  orders.set(data.orderId, { type, ...data });
  res.sendStatus(204);
});

function isSigned(body, header = '') {
  const [, seconds, digest = ''] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  const expected = createHmac('sha256', SHOP_WEBHOOK_SECRET).update(`${seconds}.`).update(body).digest();
  const isRecent = Math.abs(Date.now() / 1_000 - seconds) <= TOLERANCE_SECONDS;
  return isRecent && timingSafeEqual(Buffer.from(digest, 'hex'), expected);
}

// The cookie acts for the buyer, so a page of another site must not get anything done with it.
app.use((req, res, next) => {
  if (req.method === 'GET' || req.get('sec-fetch-site') === 'same-origin') next();
  else res.sendStatus(403);
});

app.post('/login', express.urlencoded(), (req, res) => {
  const name = String(req.body?.name); // A real shop checks a password here.
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) return res.sendStatus(400);
  res.cookie('dropline_token', sign({ sub: name }), COOKIE).redirect(303, '/');
});

app.get('/me', (req, res) => {
  try {
    const { sub: name } = verify(tokenOf(req));
    res.json({ name, saleId: SALE_ID, orders: [...orders.values()].filter(({ buyerId }) => buyerId === name) });
  } catch {
    res.sendStatus(401);
  }
});

// In production the proxy in front of both sends these paths to Dropline itself, so the crowd never reaches the shop.
app.all([`/buy/${SALE_ID}`, `/order-status/${SALE_ID}`, `/pay/${SALE_ID}`], async (req, res) => {
  const headers = { authorization: `Bearer ${tokenOf(req)}` };
  const answer = await fetch(DROPLINE_URL + req.url, { method: req.method, headers });
  for (const name of ['content-type', 'retry-after'])
    if (answer.headers.has(name)) res.set(name, answer.headers.get(name));
  res.status(answer.status).send(await answer.text());
});

app.get('/', (_req, res) => res.sendFile('page.html', { root: import.meta.dirname }));
app.listen(Number(SHOP_PORT), '127.0.0.1');
