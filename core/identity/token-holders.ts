import { createHash, randomBytes } from 'node:crypto';
import { ConfigError } from '../process/config.js';
import { isWeakToken } from '../process/weak-token.js';

// Named holders of tokens, as a setting lists them: one entry for each holder, on a line of its own or after a
// semicolon. An entry is `name roles sha256:hash`, where the roles have commas between them. A line that begins with #
// is a comment. Which roles there are is the list's own matter: today operators of the console.

/** Random bytes of a new token. 192 bits can't be guessed at any rate, and give 32 characters without padding. */
const TOKEN_BYTES = 24;

const ENTRY = /^([A-Za-z0-9_-]{1,64})\s+([a-z,]+)\s+sha256:([0-9a-f]{64})$/;

/** A person or a program with a token of its own. */
export interface TokenHolder<Role extends string> {
  readonly name: string;
  readonly roles: readonly Role[];
  /** The SHA-256 of the token, in hexadecimal digits. */
  readonly digest: string;
}

/**
 * Returns the SHA-256 of a token, in hexadecimal digits. A slow hash, as for passwords, would protect nothing more: a
 * random token of 128 bits or more can't be found by trying, however fast the tries are.
 */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Creates a random token for a new holder. */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Writes the entry of a holder, in the form that {@link parseHolders} reads. */
export function entryOf({ name, roles, digest }: TokenHolder<string>): string {
  return `${name} ${roles.join(',')} sha256:${digest}`;
}

/**
 * Parses the entries of a setting.
 *
 * @param setting the name of the setting, for the error
 * @param text the entries, on lines or with semicolons between them
 * @param roles the roles that an entry may name
 * @throws ConfigError with the number of the wrong entry's line. It shows no content, which may be a token.
 */
export function parseHolders<Role extends string>(
  setting: string,
  text: string,
  roles: readonly Role[],
): TokenHolder<Role>[] {
  return text.split('\n').flatMap((line, lineIndex) => {
    const places = line.split(';').map((entry, index) => ({ entry: entry.trim(), place: index + 1 }));
    const entries = places.filter(({ entry }) => entry !== '' && !entry.startsWith('#'));
    return entries.map(({ entry, place }) => {
      const [, name, named = '', digest] = ENTRY.exec(entry) ?? [];
      const given = roles.filter(role => named.split(',').includes(role));
      if (name && digest && given.length === named.split(',').length) return { name, roles: given, digest };
      const where = places.length > 1 ? `line ${lineIndex + 1}, entry ${place}` : `line ${lineIndex + 1}`;
      throw new ConfigError(
        `${setting}: ${where} must be like \`ann ${roles.slice(0, 2).join(',')} sha256:…\`, with roles of ${roles.join(', ')} (see .env.example)`,
      );
    });
  });
}

/** Finds the holders of tokens by their token or by their name. */
export class TokenHolders<Role extends string> {
  readonly #byDigest = new Map<string, TokenHolder<Role>>();
  readonly #byName = new Map<string, TokenHolder<Role>>();

  /**
   * Creates an index of the holders.
   *
   * @throws ConfigError when two holders have the same name or the same token
   */
  constructor(holders: readonly TokenHolder<Role>[]) {
    for (const holder of holders) {
      if (this.#byName.has(holder.name))
        throw new ConfigError(`${holder.name} is named twice: each needs another name`);
      const other = this.#byDigest.get(holder.digest);
      if (other)
        throw new ConfigError(`${other.name} and ${holder.name} have the same token: each needs another token`);
      this.#byName.set(holder.name, holder);
      this.#byDigest.set(holder.digest, holder);
    }
  }

  /**
   * Finds the holder of a token. The duration reveals something about the digest of the given text at most, and no text
   * can be found by its digest.
   *
   * @returns undefined for an unknown token, and for a weak one even if its hash is listed
   */
  withToken(token: string): TokenHolder<Role> | undefined {
    return isWeakToken(token) ? undefined : this.#byDigest.get(digestOf(token));
  }

  /** Finds a holder by name. */
  named(name: string): TokenHolder<Role> | undefined {
    return this.#byName.get(name);
  }
}
