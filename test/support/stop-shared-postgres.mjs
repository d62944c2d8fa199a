/** After the last file of integration tests. */
export default () => globalThis.stopSharedPostgres();
