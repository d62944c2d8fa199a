import pg from 'pg';

/** Runs a statement in a database and returns the first column of each row. */
export async function readColumn(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}
