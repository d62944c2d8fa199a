import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { GROWING } from './grown-tables.js';

/** A node of a plan, as EXPLAIN writes it in JSON. */
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  Filter?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: PlanNode[];
}

/** A statement that Postgres has run, and its plan with the rows that were read. */
export interface Plan {
  statement: string;
  root: PlanNode;
}

/** The settings under which Postgres sends each statement's plan to the client that sent the statement. */
const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_level': 'notice',
  'auto_explain.log_format': 'json',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_buffers': 'on',
};

/** The most rows of growing tables that a statement may read: some batches, and far less than a table has. */
const ROWS_MAX = 40_000;

/** The most pages that a statement may touch, beside some for each of its rows: less than an index of a grown table has. */
const PAGES_MAX = 800;
const PAGES_OF_ROW = 50;

/**
 * Lets Postgres send the plan of each statement to its client.
 *
 * @param databaseUrl of the database, for a superuser; only connections made afterwards get plans
 */
export async function sendPlans(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const name = new URL(databaseUrl).pathname.slice(1);
    for (const [setting, value] of Object.entries(SETTINGS)) {
      await client.query(`ALTER DATABASE ${pg.escapeIdentifier(name)} SET ${setting} = ${pg.escapeLiteral(value)}`);
    }
  } finally {
    await client.end();
  }
}

/** Runs work, and returns the plans of all statements that this process sends meanwhile, also those of the pools. */
export async function plansDuring(work: () => Promise<unknown>): Promise<Plan[]> {
  const plans: Plan[] = [];
  const client = pg.Client.prototype as { emit(event: string, ...values: unknown[]): boolean };
  const { emit } = client;
  client.emit = function (event, ...values) {
    if (event === 'notice') plans.push(...planOf(String((values[0] as Error).message)));
    return emit.call(this, event, ...values);
  };
  try {
    await work();
    await setImmediate();
  } finally {
    client.emit = emit;
  }
  return plans;
}

function planOf(notice: string): Plan[] {
  const [, json] = /^duration: .* plan:\n(\{.*)$/s.exec(notice) ?? [];
  if (!json) return [];
  const { 'Query Text': statement, Plan: root } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
  return [{ statement, root }];
}

/** Returns how many rows of growing tables a statement has read. */
export function rowsReadBy({ root }: Plan): number {
  return scansOf(root).reduce((total, node) => total + rowsRead(node), 0);
}

/** Returns what makes a plan slower with each year: one line of text for each fault. */
export function faultsOf(plan: Plan): string[] {
  const { statement, root } = plan;
  const faults = scansOf(root).flatMap(node => [...scanFaults(node)]);
  const rows = rowsReadBy(plan);
  if (rows > ROWS_MAX) faults.push(`reads more rows than a batch has (${rows})`);
  const pages = (root['Shared Hit Blocks'] ?? 0) + (root['Shared Read Blocks'] ?? 0);
  const found = nodesOf(root).reduce(
    (total, { 'Actual Rows': one = 0, 'Actual Loops': loops = 1 }) => total + one * loops,
    0,
  );
  if (pages > PAGES_MAX + PAGES_OF_ROW * found)
    faults.push(`walks through an index (${pages} pages for ${found} rows)`);
  return faults.map(fault => `${fault}: ${statement.replace(/\s+/g, ' ').trim().slice(0, 300)}`);
}

function scansOf(root: PlanNode): PlanNode[] {
  return nodesOf(root).filter(node => GROWING.includes(node['Relation Name'] ?? ''));
}

function* scanFaults(node: PlanNode): Iterable<string> {
  const { 'Node Type': type, 'Relation Name': table, 'Index Cond': condition = '', Filter: filter = '' } = node;
  if (type === 'Seq Scan') yield `reads all of ${table}`;
  // Where an id chooses the row, the clock may decide about it.
  if (filter.includes('clock_timestamp()') && !/\bid = /.test(condition))
    yield `asks the clock for each row of ${table}`;
}

function rowsRead(node: PlanNode): number {
  const { 'Actual Rows': rows = 0, 'Actual Loops': loops = 1 } = node;
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  // A write has the table of its rows, too, and reads none.
  return node['Node Type'] === 'ModifyTable' ? 0 : (rows + removed) * loops;
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
