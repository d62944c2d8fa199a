// The import rules (ARCHITECTURE.md has the picture). Each rule says why it exists; `npm run lint:imports` holds them.

// core/ from the ground up. A folder imports only from rows below its own: neither upward nor from its neighbours.
const LAYERS = [
  ['rules'],
  ['values', 'draw'],
  ['process'],
  ['http'],
  ['identity'],
  ['redis', 'postgres', 'queue'],
  ['payments'],
  ['steps'],
  ['operator', 'comparison'],
  ['maintenance'],
];
/** apps/admin from the ground up; the files beside these folders put them together. */
const ADMIN_LAYERS = ['pages', 'http', 'routes'];
/** The rooms of the harness and of the chaos tests, in the same way: from the ground up, rows of neighbours. */
const STACK_ROOMS = [['processes'], ['stores', 'fake-provider'], ['pooler', 'crowd'], ['fairness']];
const CHAOS_ROOMS = [['history'], ['workload'], ['rig'], ['nemesis', 'matrix']];
/** The queue stands beside the stores, and is held to the one file of theirs by a rule of its own. */
const EXCEPTIONS = { queue: ['^core/redis/'] };
const REASONS = {
  rules: 'The rules of a sale are readable and testable without Redis, Postgres, a validator or even Node.',
  values: 'A value is valid or not wherever it comes in. What is done with it, and by whom, is another matter.',
  redis:
    'Redis, Postgres and the queue fail separately. A step combines them, where the order of the effects can be read in one place.',
  steps: 'Maintenance repairs what the steps left behind; a step that calls the repair hides its own defect.',
};

// apps/api from the ground up, in the same way. main, server, app and context stand above all rooms and put them together.
const API_ROOMS = [
  ['http', 'load'],
  ['mirror', 'limits'],
  ['batching'],
  ['answers'],
  ['waiting', 'passes'],
  ['listeners', 'routes'],
];
const ROOM_REASONS = {
  http: 'How requests are read and answers are sent is the same for every call.',
  load: 'How busy a process is follows from its own clock and from Redis, whatever the requests are.',
  limits: 'A limit counts requests of a buyer. What they ask for is no matter of it.',
  mirror: 'A copy of a sale knows Redis and its changes, but no request and no answer.',
  passes:
    'Whether a pass is needed follows from the sale, and whether it is good from its signature, whatever is asked for.',
  batching: 'A batch joins what requests ask of Redis. How their answers are worded is no matter of it.',
  answers: 'An answer is worded in one place, whether it is sent at once, waited for or streamed.',
  waiting: 'A waiter says when to look again. Which call waits is no matter of it.',
  listeners: 'A listener stands before Express and a route behind it: what both need belongs in a room below.',
};

/** A library that only its owners import, so that replacing it, or a trap in it, is one file's matter. */
const owned = (library, packages, owners, why) => ({
  name: `owner-of-${library}`,
  severity: 'error',
  comment: `${why} Only ${owners.join(', ')} may import it: ask the owner for what you need.`,
  from: { path: '^(core|apps|stack)/', pathNot: owners.map(owner => `^${owner}`) },
  to: { path: packages.map(name => `^node_modules/${name}(/|$)`) },
});

const mayNotImport = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

/** One rule for each room: it imports only from itself and from the rows below, never from the loose files above. */
const roomsLookDown = (name, folder, rows, why) =>
  rows.flatMap((row, index) =>
    row.map(room => {
      const below = rows.slice(0, index).flat();
      return mayNotImport(
        `${name}-${room}`,
        { path: `^${folder}/${room}/` },
        { path: `^${folder}/`, pathNot: `^${folder}/(${[room, ...below].join('|')})/` },
        `${folder}/${room} may import ${below.length > 0 ? `only ${below.join(', ')}` : `nothing of ${folder}`}. ${why}`,
      );
    }),
  );

module.exports = {
  forbidden: [
    mayNotImport(
      'apps-are-separate-processes',
      { path: '^apps/([^/]+)/' },
      { path: '^apps/([^/]+)/', pathNot: '^apps/$1/' },
      'Each app is a process of its own that can be killed, scaled and deployed alone. What two of them share belongs in core.',
    ),
    mayNotImport(
      'api-has-no-database-client',
      { path: '^apps/api/' },
      { path: ['^core/postgres/', '^node_modules/(pg|pg-pool|@prisma)/'], reachable: true },
      'Postgres can be down and the sale goes on: nothing the API loads, directly or through others, may open a database connection.',
    ),
    ...API_ROOMS.flatMap((row, index) =>
      row.map(room => {
        const below = API_ROOMS.slice(0, index).flat();
        return mayNotImport(
          `api-${room}-looks-down`,
          { path: `^apps/api/${room}/` },
          { path: '^apps/api/', pathNot: [`^apps/api/(${[room, ...below].join('|')})/`] },
          `apps/api/${room} may import ${below.length > 0 ? `only ${below.join(', ')}` : 'no other room'} of the API, and takes other parts as arguments. ${ROOM_REASONS[room] ?? ROOM_REASONS.listeners}`,
        );
      }),
    ),
    mayNotImport(
      'api-has-known-rooms',
      { path: `^apps/api/(?!(${API_ROOMS.flat().join('|')})/)[^/]+/` },
      {},
      'A new room of the API needs its place in API_ROOMS, which says what it may import.',
    ),
    mayNotImport(
      'stack-starts-apps',
      { path: '^stack/' },
      { path: '^apps/' },
      'The stack starts the apps as processes and talks to them over HTTP, as anybody does.',
    ),
    ...roomsLookDown(
      'stack-rooms-look-down',
      'stack',
      STACK_ROOMS,
      'Tests use a room alone: starting a store must load neither the crowd nor the programs.',
    ),
    mayNotImport(
      'nothing-deployed-imports-the-stack',
      { path: '^(core|apps)/' },
      { path: '^stack/' },
      'The stack is not in the image: what an app needs belongs in core.',
    ),
    ...ADMIN_LAYERS.map((folder, index) =>
      mayNotImport(
        `admin-${folder}-looks-down`,
        { path: `^apps/admin/${folder}/` },
        { path: '^apps/admin/', pathNot: `^apps/admin/(${ADMIN_LAYERS.slice(0, index + 1).join('|')})/` },
        'Pages are made from values, and routes take the stores they use: only app.ts knows the whole process.',
      ),
    ),
    mayNotImport(
      'core-knows-no-app',
      { path: '^core/' },
      { path: '^apps/' },
      'core is what the processes agree on; it can not depend on one of them.',
    ),
    ...LAYERS.flatMap((row, index) =>
      row.map(folder => {
        const below = LAYERS.slice(0, index).flat();
        const why = REASONS[folder] ?? REASONS.redis;
        return mayNotImport(
          `core-${folder}-looks-down`,
          { path: `^core/${folder}/` },
          { path: '^core/', pathNot: [`^core/(${[folder, ...below].join('|')})/`, ...(EXCEPTIONS[folder] ?? [])] },
          `core/${folder} may import ${below.length > 0 ? `only ${below.join(', ')}` : 'nothing of core'}. ${why}`,
        );
      }),
    ),
    mayNotImport(
      'core-queue-knows-redis-by-its-connections',
      { path: '^core/queue/' },
      { path: '^core/redis/', pathNot: '^core/redis/(connection|shards)\\.ts$' },
      'BullMQ works on connections that core/redis opens; of claims and sales in Redis the queue knows nothing.',
    ),
    mayNotImport('rules-stay-pure', { path: '^core/rules/' }, { pathNot: '^core/rules/' }, REASONS.rules),
    mayNotImport(
      'core-has-no-loose-files',
      { path: '^core/[^/]+$' },
      {},
      'Every file of core stands in the folder whose imports it may have.',
    ),
    mayNotImport(
      'examples-speak-http',
      { path: '^examples/' },
      { path: ['^(core|apps|stack|test|bench|bin|dist)/', '^examples/([^/]+)/'], pathNot: '^examples/$1/' },
      'An example is copied into a shop of its own, which has nothing of this repository: it talks to Dropline over HTTP.',
    ),
    mayNotImport(
      'nothing-imports-an-example',
      { path: '^(core|apps|stack|test|bench|bin)/' },
      { path: '^examples/' },
      'An example is run as a process, as its reader runs it; what somebody else needs of it belongs elsewhere.',
    ),
    mayNotImport(
      'nothing-imports-a-test',
      { path: '^(core|apps|stack|bench|bin)/|^[^/]+$' },
      { path: '^test/' },
      'Tests look at the product, never the other way round: what the product needs is not test support.',
    ),
    ...roomsLookDown(
      'chaos-rooms-look-down',
      'test/chaos',
      CHAOS_ROOMS,
      'A history is checked without a store, and a workload runs without faults: each part is understood alone.',
    ),
    mayNotImport(
      'sources-not-builds',
      { path: '^(core|apps|stack|test|bench)/' },
      { path: '^dist/' },
      'dist/ may be stale or missing. Import the source; #core/* finds dist by itself where only that exists.',
    ),
    mayNotImport(
      'core-by-its-name',
      { path: '^(apps|stack|test|bench)/' },
      { path: '^core/', dependencyTypesNot: ['aliased-subpath-import'] },
      'Across the boundary imports read #core/…: the border stays visible, and files can move without a ladder of dots.',
    ),
    mayNotImport(
      'stack-by-its-name',
      { path: '^(test|bench)/' },
      { path: '^stack/', dependencyTypesNot: ['aliased-subpath-import'] },
      'Across the boundary imports read #stack/…, for the same reason.',
    ),

    owned(
      'ioredis',
      ['ioredis'],
      ['core/redis/', 'core/queue/', 'stack/stores/redis-cluster'],
      'A client has time-outs, a retry policy and a reconnect policy that must fit its use; the defaults run a script twice.',
    ),
    owned('bullmq', ['bullmq'], ['core/queue/'], 'Job ids, retention and stall limits are decided once.'),
    owned(
      'bull-board',
      ['@bull-board'],
      ['apps/admin/'],
      'bull-board has no login of its own: it exists only behind the admin one.',
    ),
    owned(
      'prisma-and-pg',
      ['@prisma', '\\.prisma', 'pg'],
      // The harness creates a database in its private Postgres before it can be migrated.
      ['core/postgres/', 'stack/stores/postgres-server\\.ts'],
      'Database errors, pools and deadlines are interpreted in one place.',
    ),
    owned(
      'express',
      ['express', 'express-rate-limit', 'helmet', 'cookie'],
      ['apps/api/', 'apps/admin/'],
      'core must also run where no HTTP is.',
    ),
    owned(
      'lru-cache',
      ['lru-cache'],
      [
        'apps/api/mirror/(publications|sales)\\.ts',
        'apps/api/passes/pass-gate\\.ts',
        'apps/admin/http/(revocations|wrong-tokens)\\.ts',
      ],
      'What is remembered may be out of date: how old it may be is decided in one place.',
    ),
    owned(
      'raw-body',
      ['raw-body'],
      ['apps/api/http/body\\.ts'],
      'A body has a bound, and its refusal must reach a client that is still sending.',
    ),
    owned(
      'node-cron',
      ['node-cron'],
      ['apps/worker/'],
      'A maintenance actor is runOnce(ctx); only the worker decides when.',
    ),
    owned(
      'pino',
      ['pino'],
      ['core/process/logger\\.ts'],
      'Redaction of tokens and passwords holds only if every line goes through one logger.',
    ),
    owned(
      'prom-client',
      ['prom-client'],
      ['core/process/metrics\\.ts', 'core/process/telemetry\\.ts'],
      'Metric names and labels are a contract with dashboards: they are declared together.',
    ),
    owned(
      'fast-jwt',
      ['fast-jwt'],
      ['core/identity/(token|session)\\.ts'],
      'Algorithms and claims of tokens and sessions are security decisions, made once.',
    ),
    owned(
      'altcha-lib',
      ['altcha-lib'],
      ['core/identity/challenge\\.ts', 'stack/crowd/pass/'],
      'It has traps: a time in ms is taken as seconds, and without a number of our choice luck decides. One file knows them.',
    ),
    owned('commander', ['commander'], ['apps/cli/', 'stack/'], 'Only commands parse command lines.'),
    owned(
      'zod',
      ['zod', 'zod-openapi'],
      [
        'core/values/',
        'core/steps/line/beacon\\.ts',
        'core/process/config\\.ts',
        'core/identity/(issuer-keys|challenge)\\.ts',
        'core/queue/jobs\\.ts',
        'core/payments/',
        'core/steps/line/beacon\\.ts',
        'apps/api/',
        'apps/admin/',
        'apps/cli/',
      ],
      'Validation happens where data comes in; behind that the types hold.',
    ),

    mayNotImport(
      'no-cycles',
      {},
      { circular: true },
      'A cycle has no first file to read, and in ES modules it can see half-initialised values.',
    ),
    mayNotImport(
      'no-orphans',
      {
        orphan: true,
        path: '^(core|apps|stack|test|bench)/',
        pathNot: ['\\.d\\.ts$', '^apps/web/', '^core/postgres/generated/', '\\.test\\.ts$'],
      },
      {},
      'A file that imports nothing and that nobody imports is dead: delete it or use it.',
    ),
    mayNotImport(
      'no-unused-core',
      { path: '^(apps|stack|bench|test)/' },
      { path: '^core/', pathNot: ['^core/postgres/generated/', '[.]d[.]ts$'], reachable: false },
      'A file of core that no app, test or benchmark reaches is dead: delete it or use it.',
    ),
    mayNotImport(
      'no-development-packages-in-the-product',
      { path: '^(core|apps)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
      'A container is installed with --omit=dev: an import of a development package would only fail there.',
    ),
    mayNotImport(
      'only-declared-packages',
      { path: '^(core|apps|stack|test|bench|examples)/' },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
      'A package that is only there because another needs it changes or vanishes without notice: declare it.',
    ),
    mayNotImport(
      'only-what-exists',
      // The page's worker names a library by the address at which the page is served.
      { path: '^(core|apps|stack|test|bench|examples)/', pathNot: '^apps/web/scripts/pass/solve-worker\\.js$' },
      { couldNotResolve: true },
      'The import names nothing: correct the path (relative imports end in .js), or install the package.',
    ),
  ],
  options: {
    // TypeScript 7 has no compiler API in JavaScript, so the files are parsed by swc.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: '^(node_modules|dist)/' },
    exclude: { path: '^core/postgres/generated/(internal|models)/' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
