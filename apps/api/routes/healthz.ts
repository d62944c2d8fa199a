import { z } from 'zod';
import { publicEndpoint } from '../http/endpoint.js';

/** Tells that the process answers. A store that is away is no reason to restart the process. */
export const healthz = publicEndpoint(
  {
    method: 'get',
    path: '/healthz',
    summary: 'Liveness',
    replies: { 200: { description: 'The process is alive', body: z.object({ status: z.literal('ok') }) } },
    problems: [],
  },
  async () => ({ status: 200, body: { status: 'ok' } }),
);
