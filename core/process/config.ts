import { z } from 'zod';
import { readRunningStack } from './running-stack.js';

const port = z.coerce
  .number('must be a port number')
  .int('must be a port number')
  .min(0, 'must be a port number')
  .max(65_535, 'must be a port number, at most 65535');
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a URL like redis://127.0.0.1:6379' });
const databaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL like postgres://user:password@host:5432/dropline',
});
const authSecret = z.string().min(32, 'must be at least 32 characters, e.g. from `openssl rand -hex 32`');
const adminToken = z.string().min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 16`');
const flag = z
  .enum(['0', '1'], 'must be 0 or 1')
  .default('0')
  .transform(value => value === '1');
const webhookSecret = z.string().min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 32`');
/** Two while one replaces the other. */
const webhookSecrets = z
  .string()
  .transform(text => text.split(',').map(secret => secret.trim()))
  .pipe(z.array(webhookSecret).max(2, 'must be one or two keys with a comma between them'));
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be a URL like https://shop.example/hooks' });
const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info');

/** Every setting there is, by the name of its environment variable. */
const SETTINGS = {
  REDIS_URL: redisUrl,
  DATABASE_URL: databaseUrl,
  AUTH_SECRET: authSecret,
  /** Where the shop's own issuer of tokens publishes its keys, and what its tokens say. */
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  ADMIN_TOKEN: adminToken,
  LOG_LEVEL: logLevel,
  /** Where the API listens. */
  PORT: port.default(3_000),
  HOST: z.string().min(1).default('0.0.0.0'),
  /** Where the admin listens: loopback, unless somebody decides otherwise. */
  ADMIN_PORT: port.default(3_001),
  ADMIN_HOST: z.string().min(1).default('127.0.0.1'),
  /** Where a process shows its metrics; 0 for none. */
  METRICS_PORT: port.default(0),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  /** Lets anybody have a buyer's token from the page: for demos and development only. */
  GUEST_TOKENS: flag,
  /** Whether the queues may be changed from bull-board. */
  BOARD_WRITE: flag,
  /** Where the shop's payment provider is, with what we are known there, and the keys of its events. */
  PAYMENT_PROVIDER_URL: httpUrl.optional(),
  PAYMENT_PROVIDER_KEY: z.string().min(1).optional(),
  PAYMENT_WEBHOOK_SECRETS: webhookSecrets.optional(),
  /** Where the shop is told what happens to orders, and the key that signs it. */
  SHOP_WEBHOOK_URL: httpUrl.optional(),
  SHOP_WEBHOOK_SECRET: webhookSecret.optional(),
} as const;

type Settings = typeof SETTINGS;
export type SettingName = keyof Settings;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
export type Config<N extends SettingName> = { readonly [K in N]: z.output<Settings[K]> };

/** A setting is missing or wrong; the message is one line that says what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Settings as they were given: neither checked nor completed. */
export type GivenSettings = Partial<Record<SettingName, string>>;

/**
 * For a program that chooses what isn't given, and hands the settings on to processes of ours, which check them.
 *
 * @param env where from
 * @returns the settings that the environment says anything about
 */
export function readGiven(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  return Object.fromEntries(SETTING_NAMES.flatMap(name => (env[name] ? [[name, env[name]]] : [])));
}

/**
 * The same for a program that is used beside a running stack.
 *
 * @param env where from, first
 * @returns the settings that the environment or the stack says anything about
 */
export function readGivenOrRunning(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  return { ...readRunningStack(env), ...readGiven(env) };
}

/**
 * Reads the settings of a command that is used beside a running stack: what the environment doesn't say is the stack's.
 *
 * @param names the settings
 * @param env where from, first
 * @returns the settings, checked and with their defaults
 * @throws ConfigError naming every setting that is missing or wrong, and how it should be
 */
export function readCommandConfig<const N extends SettingName>(
  names: readonly N[],
  env: NodeJS.ProcessEnv = process.env,
): Config<N> {
  return readConfig(names, readGivenOrRunning(env));
}

/**
 * Reads the settings that a process needs, all at once.
 *
 * @param names the settings
 * @param env where from
 * @returns the settings, checked and with their defaults
 * @throws ConfigError naming every setting that is missing or wrong, and how it should be
 */
export function readConfig<const N extends SettingName>(
  names: readonly N[],
  env: NodeJS.ProcessEnv = process.env,
): Config<N> {
  const problems: string[] = [];
  const entries = names.map(name => {
    const value = env[name];
    const result = SETTINGS[name].safeParse(value === '' ? undefined : value);
    if (!result.success)
      problems.push(`${name} ${value ? result.error.issues[0]?.message : 'is not set: it is needed'}`);
    return [name, result.data];
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
 * @param config settings that were read
 * @param names settings that are of no use without each other
 * @returns their values, or undefined when none of them is set
 * @throws ConfigError when only some of them are
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

/** Where a process of a test is to fail (core/process/crash-point.ts); not a setting, as nobody who runs a sale may want it. */
const CRASH_SWITCH = 'DROPLINE_CRASH_AT';

/**
 * @param env where from
 * @returns `name:mode:nth` of the place where this process is to fail; undefined for none, and always outside tests
 */
export function readCrashSwitch(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.NODE_ENV === 'test' ? env[CRASH_SWITCH] || undefined : undefined;
}
