import { type Bug, lua, one } from './bug.js';

/** Bugs at the edges of a process: its schedule, its end, the messages to other processes, and the proxy in front of it. */
export const EDGE_BUGS: Bug[] = [
  one(
    'reconcile begins once a minute',
    { file: 'apps/worker/maintenance.ts', find: "at: '*/5 * * * * *'", replace: "at: '0 * * * * *'" },
    { kind: 'unit', file: 'schedules/actors', title: 'each actor runs as often as its promise needs' },
  ),
  one(
    'reconcile compares each sale once a minute',
    { file: 'core/maintenance/pace.ts', find: 'PAUSE_MIN_MS = 4_000', replace: 'PAUSE_MIN_MS = 60_000' },
    { kind: 'unit', file: 'schedules/pace', title: 'that took' },
  ),
  one(
    'a worker that ends does not wait for its jobs',
    {
      file: 'apps/worker/main.ts',
      find: 'Promise.all(workers.map(worker => worker.close()))',
      replace: 'workers.length',
    },
    { kind: 'integration', file: 'shutdown/processes', title: 'a worker finishes its job and its round' },
  ),
  one(
    'an API that ends leaves waiting requests without an answer',
    { file: 'apps/api/server.ts', find: '  ctx.waiters.close();\n', replace: '' },
    { kind: 'integration', file: 'api-faults/process', title: 'on SIGTERM: answers every waiting request' },
  ),
  one(
    'a restock is told to nobody',
    { file: lua('restock'), find: "publish(KEYS[1], redis.call('LLEN', KEYS[2]), '-')\n", replace: '' },
    { kind: 'integration', file: 'scripts/restock', title: 'a restock tells every API the free units' },
  ),
  one(
    'the proxy keeps the status of one buyer for all',
    {
      file: 'nginx/nginx.conf',
      find: '        rewrite ^ /waiting/order-status last;\n      }\n',
      replace: `        rewrite ^ /waiting/order-status last;
      }
      proxy_cache sales;
      proxy_cache_key "$uri";
      proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;
      proxy_cache_valid 200 1s;
`,
    },
    { kind: 'edge', file: 'front-door', title: 'the status of one buyer is never kept for another' },
  ),
  one(
    'the proxy takes each address of some IPv6 networks for a client',
    { file: 'nginx/nginx.conf', find: '~(?s)^(?<network>', replace: '~^(?<network>' },
    { kind: 'edge', file: 'refusals', title: 'an IPv6 client with' },
  ),
];
