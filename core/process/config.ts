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
/** One key, or two during a rotation. */
const webhookSecrets = z
  .string()
  .transform(text => text.split(',').map(secret => secret.trim()))
  .pipe(z.array(webhookSecret).max(2, 'must be one or two keys with a comma between them'));
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be a URL like https://shop.example/hooks' });
const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info');

/** All settings, by the name of the environment variable. */
const SETTINGS = {
  REDIS_URL: redisUrl,
  DATABASE_URL: databaseUrl,
  AUTH_SECRET: authSecret,
  /** The issuer of the shop's tokens: the address of its keys, and the claims that its tokens carry. */
  AUTH_JWKS_URL: httpUrl.optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  ADMIN_TOKEN: adminToken,
  LOG_LEVEL: logLevel,
  /** Address and port of the API. */
  PORT: port.default(3_000),
  HOST: z.string().min(1).default('0.0.0.0'),
  /** Address and port of the admin; loopback by default. */
  ADMIN_PORT: port.default(3_001),
  ADMIN_HOST: z.string().min(1).default('127.0.0.1'),
  /** Address and port of the metrics; port 0 turns them off. */
  METRICS_PORT: port.default(0),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  /** Lets anybody get a buyer's token from the page. For demos and development only. */
  GUEST_TOKENS: flag,
  /** Whether bull-board may change the queues. */
  BOARD_WRITE: flag,
  /** The shop's payment provider: its address, our API key there, and the keys of its events. */
  PAYMENT_PROVIDER_URL: httpUrl.optional(),
  PAYMENT_PROVIDER_KEY: z.string().min(1).optional(),
  PAYMENT_WEBHOOK_SECRETS: webhookSecrets.optional(),
  /** The shop's webhook: its address, and the key that signs the calls. */
  SHOP_WEBHOOK_URL: httpUrl.optional(),
  SHOP_WEBHOOK_SECRET: webhookSecret.optional(),
} as const;

type Settings = typeof SETTINGS;
/** The name of a setting, which is that of its environment variable. */
export type SettingName = keyof Settings;
/** The names of all settings. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
/** Checked settings by name. */
export type Config<N extends SettingName> = { readonly [K in N]: z.output<Settings[K]> };

/** A setting is missing or wrong. The message is one line that says which setting to change, and how. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Settings as given: unchecked, and without defaults. */
export type GivenSettings = Partial<Record<SettingName, string>>;

/**
 * Reads the settings that the environment contains. For programs that complete them and pass them on to other
 * processes, which check them.
 */
export function readGiven(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  return Object.fromEntries(SETTING_NAMES.flatMap(name => (env[name] ? [[name, env[name]]] : [])));
}

/**
 * Reads the settings that the environment contains, completed from the stack that runs in this clone. For commands
 * beside a running stack.
 */
export function readGivenOrRunning(env: NodeJS.ProcessEnv = process.env): GivenSettings {
  return { ...readRunningStack(env), ...readGiven(env) };
}

/**
 * Reads and checks the settings of a command beside a running stack. The environment comes first, the stack second.
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
 * Reads and checks the settings that a process needs.
 *
 * @throws ConfigError that names every missing or wrong setting and the expected form
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
 * Makes a process fail at a crash point (core/process/crash-point.ts). Not a setting: nobody who runs a sale may want
 * it.
 */
const CRASH_SWITCH = 'DROPLINE_CRASH_AT';

/**
 * Reads the crash switch.
 *
 * @returns `name:mode:nth` of the crash point, or undefined; always undefined outside tests
 */
export function readCrashSwitch(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.NODE_ENV === 'test' ? env[CRASH_SWITCH] || undefined : undefined;
}
