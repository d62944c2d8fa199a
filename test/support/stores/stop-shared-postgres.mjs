// Jest needs one file for the start and one for the end.
export { stopSharedPostgres as default } from './start-shared-postgres.mjs';
