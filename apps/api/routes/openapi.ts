import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import { PROBLEMS, type ProblemCode } from '#core/rules/errors.js';
import { instant } from '../answers/fields.js';
import { type Contract, type Endpoint, publicEndpoint } from '../http/endpoint.js';

/**
 * The JSON body of every error answer. `test/unit/apps/answer-text.test.ts` checks that `problemText` writes this
 * shape.
 */
export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().optional(),
    opensAt: instant.optional(),
    joinsAt: instant.optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457; the code is stable' });

/** The error codes that every endpoint may answer with. */
const EVERYWHERE: ProblemCode[] = ['invalid_request', 'body_too_large', 'internal', 'overloaded', 'unavailable'];

const FOR_BUYERS: ProblemCode[] = ['unauthenticated', 'forbidden_origin'];

/**
 * Creates the endpoint that describes all endpoints in the OpenAPI format. The description is made from the validators
 * that check their input.
 */
export function openapi(contracts: readonly Contract[]): Endpoint<unknown> {
  const document = createDocument({
    openapi: '3.1.0',
    info: { title: 'Dropline', version: '1', description: 'A flash sale: claim, ask, pay.' },
    components: { securitySchemes: { buyer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    paths: Object.fromEntries(
      contracts.map(contract => [pathOf(contract), { [contract.method]: operation(contract) }]),
    ),
  });
  return publicEndpoint(
    {
      method: 'get',
      path: '/openapi.json',
      summary: 'This description',
      replies: { 200: { description: 'OpenAPI 3.1', body: z.object({}) } },
      problems: [],
    },
    async () => ({ status: 200, body: document }),
  );
}

function pathOf({ path }: Contract): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

/** Describes the request headers that an endpoint supports. */
function headersOf({ mayWait, tagged, mayNeedPass }: Contract): z.ZodObject {
  const prefer = z.string().meta({ description: '`wait=N`: answer once there is news, in at most N s (RFC 7240)' });
  const known = z.string().meta({
    description:
      'The `ETag` of the last answer: 304 while nothing has changed; with `Prefer`, waits until it has, and answers whole',
  });
  const pass = z.string().meta({ description: 'The answer of `POST /pass/:saleId`, in a sale with `needsPass`' });
  return z.object({
    ...(mayNeedPass ? { 'dropline-pass': pass.optional() } : {}),
    ...(mayWait ? { prefer: prefer.optional() } : {}),
    ...(tagged ? { 'if-none-match': known.optional() } : {}),
  });
}

function operation(contract: Contract): ZodOpenApiOperationObject {
  const { summary, params, query, body, replies, problems, forBuyer, tagged } = contract;
  const successes = Object.entries(replies).map(
    ([status, { description, body: schema, type = 'application/json' }]) => [
      status,
      { description, content: { [type]: { schema } } },
    ],
  );
  const codes = [...new Set([...problems, ...EVERYWHERE, ...(forBuyer ? FOR_BUYERS : [])])];
  return {
    summary,
    requestParams: { path: params, query, header: headersOf(contract) },
    ...(body ? { requestBody: { content: { 'application/json': { schema: body } } } } : {}),
    ...(forBuyer ? { security: [{ buyer: [] }] } : {}),
    responses: {
      ...Object.fromEntries(successes),
      ...(tagged ? { 304: { description: 'As it was' } } : {}),
      ...problemResponses(codes),
    },
  };
}

/** Describes the error answers of an endpoint. Error codes with the same HTTP status share one response. */
function problemResponses(codes: ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      { description: codes.join(', '), content: { 'application/problem+json': { schema: ProblemBody } } },
    ]),
  );
}
