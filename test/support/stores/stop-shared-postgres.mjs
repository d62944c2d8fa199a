// Jest needs one file for the start and one for the end.
import { stopSharedPostgres } from './start-shared-postgres.mjs';

export default stopSharedPostgres;
