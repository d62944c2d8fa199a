/** The codes of Node and of the body parsers for a request that its client broke off. */
const LOST_CODES = ['ECONNRESET', 'ECONNABORTED'];

/**
 * Tells whether an error means that the client broke its request off. Node and the body parsers make this error
 * themselves, so it names no system call. The error of a connection to a store has the same codes, and names one.
 *
 * @param error the thrown value
 */
export function isLostRequest(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined && LOST_CODES.includes(code ?? '');
}
