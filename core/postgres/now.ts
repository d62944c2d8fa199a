import { Prisma } from './database.js';

/**
 * SQL for the time at which a statement began to need it, by Postgres's clock. `clock_timestamp()` may return another
 * value for each row, so a comparison with it is no condition of an index: Postgres reads every row that might be due.
 * A sub-select runs once. Measured with 1,100,000 unpaid orders of which none is due: 24 ms without it, 0.02 ms with it.
 */
export const NOW = Prisma.sql`(SELECT clock_timestamp())`;
