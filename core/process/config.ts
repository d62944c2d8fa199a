import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { baseAddress, calledAddress, hostNames } from '../values/address.js';
import { wholeNumber } from '../values/number.js';
import { postgresAddress } from '../values/postgres-address.js';
import { redisAddress } from '../values/redis-address.js';
import { readRunningStack } from './running-stack.js';
import { isWeakToken, STRONG_TOKEN } from './weak-token.js';

const port = wholeNumber({ min: 0, max: 65_535, what: 'a port number' });
const authSecret = z.string().min(32, 'must be at least 32 characters, e.g. from `openssl rand -hex 32`');
const adminToken = z
  .string()
  .refine(token => !isWeakToken(token), `must be ${STRONG_TOKEN}, e.g. from \`openssl rand -hex 16\``);
/** Text in the format PEM. In a file named by `<NAME>_FILE` it is easier to keep than in an environment variable. */
const pem = z
  .string()
  .startsWith('-----BEGIN ', 'must be PEM, which begins with -----BEGIN, as in a .pem or .crt file');
const isOn = (value: '0' | '1'): boolean => value === '1';
const zeroOrOne = z.enum(['0', '1'], 'must be 0 or 1');
const flag = zeroOrOne.default('0').transform(isOn);
const webhookSecret = z.string().min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 32`');
/** One webhook key, or two with a comma between them while keys are rotated. */
const webhookSecrets = z
  .string()
  .transform(text => text.split(',').map(secret => secret.trim()))
  .pipe(z.array(webhookSecret).max(2, 'must be one or two keys with a comma between them'));
/** Ten years. */
const DAYS_MAX = 3_650;
const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info');

/** All settings, by the name of the environment variable, with their forms and defaults. */
const SETTINGS = {
  REDIS_URL: redisAddress,
  /** The password of the Sentinels themselves. User and password in REDIS_URL are for Redis. */
  REDIS_SENTINEL_PASSWORD: z.string().min(1).optional(),
  /** TLS to Redis, in the words of redis-cli: the CA, our certificate with its key, and the name in Redis's certificate. */
  REDIS_CACERT: pem.optional(),
  REDIS_CERT: pem.optional(),
  REDIS_KEY: pem.optional(),
  REDIS_SNI: z.string().min(1).optional(),
  DATABASE_URL: postgresAddress,
  AUTH_SECRET: authSecret,
  /** A second secret that is accepted and never signs: the next or the last one, while the secret is rotated. */
  AUTH_SECRET_OTHER: authSecret.optional(),
  /** The issuer of the shop's tokens: the address of its public keys, and the `iss` of its tokens. */
  AUTH_JWKS_URL: calledAddress('https://shop.example/.well-known/jwks.json').optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  /** The name of this Dropline in the `aud` of all tokens: needed in the issuer's, optional in those of AUTH_SECRET. */
  AUTH_AUDIENCE: z.string().min(1).optional(),
  /** The claim of the issuer's tokens that names the buyer. Tokens signed with AUTH_SECRET always use `sub`. */
  AUTH_BUYER_CLAIM: z.string().min(1).default('sub'),
  /**
   * The longest life of a token, in days. The default is a month: no usual issuer's token lives longer (Auth0 and Okta:
   * at most 30 days and 24 hours).
   */
  AUTH_LIFE_MAX_DAYS: wholeNumber({ min: 1, max: DAYS_MAX, what: 'a whole number of days' }).default(31),
  /** The token of the operator `admin`, with every role. */
  ADMIN_TOKEN: adminToken.optional(),
  /** Named operators with their roles and the SHA-256 of their tokens (core/identity/token-holders.ts). */
  OPERATORS: z.string().optional(),
  LOG_LEVEL: logLevel,
  /** Address and port of the API. */
  PORT: port.default(3_000),
  HOST: z.string().min(1).default('0.0.0.0'),
  /** Address and port of the admin console; by default only this machine can reach it. */
  ADMIN_PORT: port.default(3_001),
  ADMIN_HOST: z.string().min(1).default('127.0.0.1'),
  /** Further names by which browsers may reach the admin console. */
  ADMIN_HOSTS: hostNames.default([]),
  /** Whether answers bind browsers to HTTPS for this host (Strict-Transport-Security). */
  HSTS: zeroOrOne.default('1').transform(isOn),
  /** Address and port of a process's Prometheus metrics; port 0 turns them off. */
  METRICS_PORT: port.default(0),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  /** Lets every visitor get a buyer's token from the page. For demos and development only. */
  GUEST_TOKENS: flag,
  /** Whether operators may change the queues in bull-board, the admin console's view of them. */
  BOARD_WRITE: flag,
  /** The shop's payment provider: its address, our API key there, and the keys that sign its events. */
  PAYMENT_PROVIDER_URL: baseAddress('https://pay.example/v1').optional(),
  PAYMENT_PROVIDER_KEY: z.string().min(1).optional(),
  PAYMENT_WEBHOOK_SECRETS: webhookSecrets.optional(),
  /** The beacon whose values may decide draws: the address of a chain of drand. */
  DRAW_BEACON_URL: baseAddress(
    'https://api.drand.sh/52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971',
  ).optional(),
  /** The shop's webhook: its address, and the key with which Dropline signs its calls. */
  SHOP_WEBHOOK_URL: calledAddress('https://shop.example/hooks').optional(),
  SHOP_WEBHOOK_SECRET: webhookSecret.optional(),
} as const;

type Settings = typeof SETTINGS;
/** The name of a setting, which is that of its environment variable. */
export type SettingName = keyof Settings;
/** The names of all settings. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
/** Settings that have been checked, by name. */
export type Config<N extends SettingName> = { readonly [K in N]: z.output<Settings[K]> };

/** A setting is missing or wrong. The message is one line of text that says which setting to change, and how. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Settings as the environment states them: unchecked, and without defaults. */
export type GivenSettings = Partial<Record<SettingName, string>>;

/**
 * Reads one setting from the environment. `<NAME>_FILE` names a file that holds the setting, for example a secret of
 * Docker. White space at the ends of the file does not count.
 *
 * @returns undefined when the setting is missing or empty
 * @throws ConfigError when the setting is given in both ways, or its file cannot be read
 */
function readSetting(name: SettingName, env: NodeJS.ProcessEnv): string | undefined {
  const path = env[`${name}_FILE`];
  if (!path) return env[name] || undefined;
  if (env[name]) throw new ConfigError(`${name} and ${name}_FILE are both set: remove one of them`);
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    throw new ConfigError(`${name}_FILE cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Reads the settings that the environment contains, unchecked. For programs that complete them and pass them on to
 * other processes, which check them.
 *
 * @throws ConfigError when the file of a setting cannot be read
 */
export function readGiven(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  const given = SETTING_NAMES.map(name => [name, readSetting(name, env)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/**
 * Reads the settings that the environment contains, and takes missing ones from the stack that runs in this clone. `npm
 * start` and `npm run demo` run such a stack.
 */
export function readGivenOrRunning(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  const given = readGiven(env);
  return { ...readRunningStack(given), ...given };
}

/**
 * Reads and checks the settings of a command. The environment comes first, then the stack that `npm start` or `npm run
 * demo` runs in this clone.
 *
 * @throws ConfigError that names every missing or wrong setting and the expected form
 */
export function readCommandConfig<const N extends SettingName>(
  names: readonly N[],
  env: NodeJS.ProcessEnv = process.env,
): Config<N> {
  return readConfig(names, readGivenOrRunning(env));
}

/**
 * Reads and checks the settings that a process needs, from its environment.
 *
 * @throws ConfigError that names every missing or wrong setting and the expected form
 */
export function readConfig<const N extends SettingName>(
  names: readonly N[],
  env: NodeJS.ProcessEnv = process.env,
): Config<N> {
  const problems: string[] = [];
  const entries = names.map(name => {
    try {
      return [name, checkSetting(name, readSetting(name, env))];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
      return [name, undefined];
    }
  });
  if (env[CRASH_SWITCH] && env.NODE_ENV !== 'test') {
    problems.push(
      `${CRASH_SWITCH} makes processes fail on purpose: it must not be set but in tests, with NODE_ENV=test`,
    );
  }
  if (problems.length > 0) throw new ConfigError(`${problems.join('; ')} (see .env.example)`);
  return Object.fromEntries(entries) as Config<N>;
}

/**
 * Checks the text of one setting, and converts it.
 *
 * @throws ConfigError that names the setting and the expected form
 */
function checkSetting(name: SettingName, text: string | undefined): unknown {
  const result = SETTINGS[name].safeParse(text);
  if (result.success) return result.data;
  throw new ConfigError(`${name} ${text === undefined ? 'is not set: it is needed' : result.error.issues[0]?.message}`);
}

/**
 * Returns settings that only make sense together, or undefined when none of them is given.
 *
 * @throws ConfigError when only some of them are given
 */
export function allOrNone<const N extends SettingName>(
  config: Config<N>,
  names: readonly N[],
): { readonly [K in N]: NonNullable<Config<N>[K]> } | undefined {
  const missing = names.filter(name => config[name] === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) {
    throw new ConfigError(`set ${missing.join(', ')}, too: ${names.join(', ')} go together (see .env.example)`);
  }
  return config as { readonly [K in N]: NonNullable<Config<N>[K]> };
}

/**
 * The environment variable that makes a process fail at a crash point (core/process/crash-point.ts), for tests only. It
 * is not among the settings, as no operator may want it.
 */
const CRASH_SWITCH = 'DROPLINE_CRASH_AT';

/**
 * Reads the environment variable that makes a process fail at a crash point.
 *
 * @returns `name:mode:nth` of the crash point, or undefined; always undefined outside tests
 */
export function readCrashSwitch(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.NODE_ENV === 'test' ? env[CRASH_SWITCH] || undefined : undefined;
}
