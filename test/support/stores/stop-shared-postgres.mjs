// Jest wants a file for each of the two.
export { stopSharedPostgres as default } from './start-shared-postgres.mjs';
