/** The failure of one of several things, such as one sale of a round. `name` says which thing, such as `sale drop-1`. */
export interface Failure {
  name?: string | undefined;
  error: unknown;
}

/** The most different messages told, and the most names told of each. An outage fails every sale with one message. */
const MESSAGES_MAX = 20;
const NAMES_MAX = 100;

/**
 * The error of a run through several things, some of which failed. Its message names each of them; `errors` has the
 * first error of each message. The number of both is bounded, and the message says how many are left out.
 */
export class Failures extends AggregateError {
  override readonly name = 'Failures';
  readonly failures: readonly Failure[];

  /**
   * Joins failures to one error.
   *
   * @param failures at least one; a {@link Failures} among them counts as its parts
   */
  constructor(failures: readonly Failure[]) {
    const parts = failures.flatMap(failure =>
      failure.error instanceof Failures ? failure.error.failures.map(part => ({ ...failure, ...part })) : [failure],
    );
    const messages = [...new Set(parts.map(messageOf))];
    const told = messages
      .slice(0, MESSAGES_MAX)
      .map(message => [message, parts.filter(part => messageOf(part) === message)] as const);
    const left = messages.length - told.length;
    const texts = told.map(([message, same]) => `${namesOf(same)}${message}`);
    super(
      told.flatMap(([, same]) => same.slice(0, 1).map(({ error }) => error)),
      `${parts.length} failed: ${texts.join('; ')}${left > 0 ? `; and ${left} more messages` : ''}`,
    );
    this.failures = parts;
  }
}

function messageOf({ error }: Failure): string {
  return error instanceof Error ? error.message : String(error);
}

function namesOf(failures: readonly Failure[]): string {
  const names = failures.flatMap(({ name }) => name ?? []);
  if (names.length === 0) return '';
  const left = names.length - NAMES_MAX;
  return `${names.slice(0, NAMES_MAX).join(', ')}${left > 0 ? ` and ${left} more` : ''}: `;
}
