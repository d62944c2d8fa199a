import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { endpointsOf } from '../../../../apps/api/routes/index.js';

/** The parts of an OpenAPI description that the tests read. */
interface Described {
  summary: string;
  security?: object[];
  parameters?: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Record<string, unknown> }> }>;
}
interface Description {
  openapi: string;
  info: Record<string, string>;
  components: Record<string, Record<string, unknown>>;
  paths: Record<string, Record<string, Described>>;
}

async function describeAll(): Promise<Description> {
  const endpoint = endpointsOf({ GUEST_TOKENS: true }).find(({ path }) => path === '/openapi.json');
  const reply = await endpoint?.answer({} as never, { params: {}, query: {} } as Request);
  expect(reply?.status).toBe(200);
  return JSON.parse(JSON.stringify(reply?.body));
}

const { openapi, info, components, paths } = await describeAll();

/** Every call, with its successful answers, and the codes of its problems beside those that every call may have. */
const CALLS: [call: string, caller: 'a buyer' | 'anybody', successes: number[], problems: Record<number, string>][] = [
  [
    'post /buy/{saleId}',
    'a buyer',
    [200, 202],
    {
      403: 'not_open, pass_required, bad_pass, pass_expired, pass_early, forbidden_origin',
      404: 'unknown_sale',
      409: 'sold_out, unpaid_limit, others_first, group_limit',
      410: 'sale_closed',
      429: 'too_many_requests, too_soon',
    },
  ],
  [
    'post /pass/{saleId}',
    'a buyer',
    [200],
    {
      403: 'pass_too_early, bad_solution, forbidden_origin',
      404: 'unknown_sale, no_pass_needed',
      410: 'sale_closed',
      429: 'too_many_requests',
    },
  ],
  [
    'post /webhooks/payments/{provider}',
    'anybody',
    [200],
    { 400: 'bad_signature, invalid_request', 404: 'unknown_provider', 429: 'too_many_requests' },
  ],
  ['get /sales/{saleId}', 'anybody', [200], { 404: 'unknown_sale' }],
  [
    'get /order-status/{saleId}',
    'a buyer',
    [200, 304],
    { 400: 'bad_receipt, invalid_request', 404: 'unknown_sale', 429: 'too_many_requests' },
  ],
  ['post /pay/{saleId}', 'a buyer', [202], { 404: 'unknown_sale', 409: 'not_payable', 429: 'too_many_requests' }],
  [
    'post /cancel/{saleId}',
    'a buyer',
    [202],
    { 404: 'unknown_sale', 409: 'not_cancellable', 429: 'too_many_requests' },
  ],
  ['get /draws/{saleId}', 'anybody', [200], { 404: 'unknown_sale, no_draw' }],
  ['get /draws/{saleId}/entries/{chunk}', 'anybody', [200], { 404: 'unknown_sale, no_draw, unknown_chunk' }],
  [
    'get /draws/{saleId}/proof',
    'a buyer',
    [200],
    { 404: 'unknown_sale, no_draw, no_entry, late_entry', 409: 'not_closed', 429: 'too_many_requests' },
  ],
  ['get /healthz', 'anybody', [200], {}],
  ['get /readyz', 'anybody', [200], { 503: 'unavailable, overloaded' }],
  ['post /guest-token', 'anybody', [200], { 403: 'forbidden_origin' }],
];

/** The problems of every call. */
const EVERYWHERE = { 400: 'invalid_request', 413: 'body_too_large', 500: 'internal', 503: 'overloaded, unavailable' };
const OF_BUYERS = { 401: 'unauthenticated', 403: 'forbidden_origin' };

function operationOf(call: string): Described {
  const [method = '', path = ''] = call.split(' ');
  const operation = paths[path]?.[method];
  if (!operation) throw new Error(`${call} is not described`);
  return operation;
}

/** Returns the names of the fields of a call's answer. */
function fieldsOf(call: string, status: number): string[] {
  const schema = operationOf(call).responses[status]?.content?.['application/json']?.schema ?? {};
  return Object.keys(schema.properties ?? {});
}

test('the description lists every call, and guest tokens only where they exist', async () => {
  const listed = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map(one => `${one} ${path}`));
  expect(listed).toEqual(CALLS.map(([call]) => call));
  expect(endpointsOf({ GUEST_TOKENS: false }).map(({ path }) => path)).not.toContain('/guest-token');
});

test('the description is a call itself, which always succeeds', () => {
  const own = endpointsOf({ GUEST_TOKENS: false }).find(({ path }) => path === '/openapi.json');
  expect(own).toMatchObject({ method: 'get', forBuyer: false, problems: [] });
  expect(own?.summary).not.toBe('');
  expect(own?.replies[200]?.description).toContain('OpenAPI');
});

test('the description names its format, the product and the token of buyers', () => {
  expect(openapi).toBe('3.1.0');
  expect(info).toMatchObject({ title: 'Dropline', version: '1' });
  expect(components.securitySchemes).toEqual({ buyer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } });
  expect(components.schemas?.Problem).toMatchObject({
    type: 'object',
    properties: {
      code: { enum: expect.arrayContaining(['sold_out', 'overloaded']) },
      opensAt: { format: 'date-time' },
    },
    required: ['type', 'title', 'status', 'code'],
  });
});

describe.each(CALLS)('%s', (call, caller, successes, problems) => {
  test(`is for ${caller}, and has these answers and problems`, () => {
    const { summary, security, responses } = operationOf(call);
    expect(summary).not.toBe('');
    expect(security).toEqual(caller === 'a buyer' ? [{ buyer: [] }] : undefined);
    const expected = { ...EVERYWHERE, ...(caller === 'a buyer' ? OF_BUYERS : {}), ...problems };
    const statuses = [...Object.keys(expected), ...successes.map(String)];
    expect(Object.keys(responses).sort()).toEqual(statuses.sort());
    for (const [status, codes] of Object.entries(expected)) {
      expect([status, responses[status]?.description]).toEqual([status, codes]);
      expect(responses[status]?.content).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
    }
    for (const status of successes) expect(responses[status]?.description).not.toBe('');
  });
});

describe('the parameters of a call', () => {
  const parametersOf = (call: string) =>
    (operationOf(call).parameters ?? []).map(({ name, in: where, required = false }) => [name, where, required]);
  const SALE = ['saleId', 'path', true];
  const PREFER = ['prefer', 'header', false];

  test.each([
    ['post /buy/{saleId}', [SALE, ['dropline-pass', 'header', false], PREFER]],
    ['post /pass/{saleId}', [SALE]],
    ['post /webhooks/payments/{provider}', [['provider', 'path', true]]],
    ['get /sales/{saleId}', [SALE]],
    ['get /order-status/{saleId}', [SALE, ['receipt', 'query', false], PREFER, ['if-none-match', 'header', false]]],
    ['post /pay/{saleId}', [SALE]],
    ['post /cancel/{saleId}', [SALE]],
    ['get /draws/{saleId}', [SALE]],
    ['get /draws/{saleId}/entries/{chunk}', [SALE, ['chunk', 'path', true]]],
    ['get /draws/{saleId}/proof', [SALE]],
    ['get /healthz', []],
    ['get /readyz', []],
    ['post /guest-token', []],
  ])('%s are these', (call, parameters) => {
    expect(parametersOf(call)).toEqual(parameters);
  });

  test('say what a header of the request does', () => {
    const headers = operationOf('get /order-status/{saleId}').parameters?.filter(one => one.in === 'header');
    expect(headers?.map(({ schema }) => schema.description)).toEqual([
      expect.stringContaining('wait=N'),
      expect.stringContaining('ETag'),
    ]);
  });

  test('have bounds: a provider has a known name, a sale an id, and a receipt 200 characters', () => {
    const schemaOf = (call: string, name: string) =>
      operationOf(call).parameters?.find(one => one.name === name)?.schema ?? {};
    expect(schemaOf('post /webhooks/payments/{provider}', 'provider').enum).toContain('signed-webhook');
    expect(schemaOf('post /buy/{saleId}', 'saleId')).toMatchObject({ pattern: '^[A-Za-z0-9_-]{1,64}$' });
    expect(schemaOf('get /order-status/{saleId}', 'receipt')).toMatchObject({ type: 'string', maxLength: 200 });
  });
});

describe('the answer of a call', () => {
  test.each([
    ['post /webhooks/payments/{provider}', 200, ['received']],
    ['post /pay/{saleId}', 202, ['status', 'pollAfterMs']],
    ['post /cancel/{saleId}', 202, ['status', 'pollAfterMs']],
    ['get /draws/{saleId}', 200, ['commitment', 'valueSource', 'entries', 'root', 'seed', 'value']],
    ['get /draws/{saleId}/proof', 200, ['buyerId', 'entry', 'index', 'count', 'salt', 'published', 'path', 'root']],
    ['get /healthz', 200, ['status']],
    ['get /readyz', 200, ['status', 'note']],
    ['post /guest-token', 200, ['buyerId', 'token']],
    [
      'get /order-status/{saleId}',
      200,
      ['status', 'claimId', 'unit', 'payBy', 'reason', 'paymentUrl', 'position', 'pollAfterMs'],
    ],
    [
      'get /sales/{saleId}',
      200,
      [
        ...['id', 'title', 'priceMinor', 'currency', 'currencyDigits', 'opensAt', 'closesAt'],
        ...['opening', 'joinsAt', 'needsPass', 'passesFrom', 'state', 'units', 'remaining', 'serverTime'],
      ],
    ],
  ])('%s: %s has these fields', (call, status, fields) => {
    expect(fieldsOf(call, status)).toEqual(expect.arrayContaining(fields));
  });

  test('with a part of a list is bytes', () => {
    const { content } = operationOf('get /draws/{saleId}/entries/{chunk}').responses[200] ?? {};
    expect(Object.keys(content ?? {})).toEqual(['application/octet-stream']);
  });

  test('with a pass may be a challenge, and its request has the solution', () => {
    const { responses, requestBody } = operationOf('post /pass/{saleId}');
    const schemas = responses[200]?.content?.['application/json']?.schema.anyOf as { properties: object }[];
    expect(schemas.map(({ properties }) => Object.keys(properties))).toEqual([
      ['pass', 'notBefore', 'expires'],
      ['challenge'],
    ]);
    expect(requestBody?.content['application/json']?.schema).toMatchObject({
      properties: { solution: { maxLength: 1_000 } },
    });
    expect(operationOf('post /buy/{saleId}').requestBody).toBeUndefined();
  });

  test('of a webhook is true, and that of a click is a claim, a position, an entry or a status', () => {
    const schemaOf = (call: string, status: number) =>
      operationOf(call).responses[status]?.content?.['application/json']?.schema ?? {};
    expect(schemaOf('post /webhooks/payments/{provider}', 200)).toMatchObject({
      properties: { received: { type: 'boolean', const: true } },
      required: ['received'],
    });
    expect(schemaOf('post /buy/{saleId}', 200).anyOf).toHaveLength(2);
    expect(schemaOf('post /buy/{saleId}', 202).anyOf).toHaveLength(4);
    expect(schemaOf('get /sales/{saleId}', 200)).toMatchObject({
      properties: {
        state: { enum: ['upcoming', 'joining', 'drawing', 'open', 'sold_out', 'paused', 'closed'] },
        units: { minimum: 0 },
      },
    });
    expect(schemaOf('get /readyz', 200)).toMatchObject({ properties: { status: { const: 'ready' } } });
    expect(schemaOf('get /healthz', 200)).toMatchObject({ properties: { status: { const: 'ok' } } });
  });
});
