import { z } from 'zod';
import { RUNTIME_URL_VARIABLES, type RuntimeRole, type RuntimeUrls } from './database-roles.ts';
import { MODES, type Mode } from '../domain/mode.ts';
import { parseAllowList, type AllowList } from '../domain/outbound-url.ts';
import { tlsOf } from './database-tls.ts';
import { isProduction } from './environment.ts';
import {
  readBkash,
  readNagad,
  readSslcommerz,
  readStripe,
  type BkashAccount,
  type NagadAccount,
  type SslcommerzAccount,
  type StripeAccount,
} from './gateway-settings.ts';
import { readMail, type MailSettings } from './mail/settings.ts';
import { origin } from './origin.ts';
import { parseMasterKeys } from './secrets.ts';
import { readTemporalServer, type TemporalServer } from './temporal-server.ts';

/** The settings of a process, parsed once at start. A process with a wrong setting does not start. */
export interface Config {
  readonly environment: 'development' | 'production';
  /** The logins of this process, one for each database role that it uses. */
  readonly databaseUrls: RuntimeUrls;
  readonly masterKey: string;
  readonly host: string;
  readonly apiPort: number;
  readonly webPort: number;
  /** Public origin of the API, where gateways call back. */
  readonly apiUrl: string;
  /** Public origin of the pages, where payers are sent. */
  readonly webUrl: string;
  readonly temporal: TemporalServer & { readonly uiUrl: string | null };
  readonly sslcommerz: ReadonlyMap<Mode, SslcommerzAccount>;
  readonly bkash: ReadonlyMap<Mode, BkashAccount>;
  readonly nagad: ReadonlyMap<Mode, NagadAccount>;
  readonly stripe: ReadonlyMap<Mode, StripeAccount>;
  /** How long an operator's session lives: without use, and in total. */
  readonly sessionLimits: { readonly idleMs: number; readonly absoluteMs: number };
  /** How long rows that are no longer evidence are kept, in days. */
  readonly retention: {
    readonly callbackDays: number;
    readonly keyDays: number;
    readonly deliveryDays: number;
    readonly sessionDays: number;
  };
  /** Hosts that webhooks may reach although they are not public. */
  readonly outboundAllow: AllowList;
  /** Null: no email is sent. */
  readonly mail: MailSettings | null;
  /** How many proxies in front of us are trusted to report the client's address in X-Forwarded-For. */
  readonly trustedProxies: number;
  readonly logLevel: string;
  readonly workflowBundle: string | null;
  /** How many workflows of each queue the worker keeps in memory. One that is not kept is replayed from its history when it goes on. */
  readonly cachedWorkflowsMax: number;
}

const port = z.coerce.number().int().min(0).max(65535);
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const Environment = z.object({
  LENDEN_ENV: optional(z.enum(['development', 'production'])),
  LENDEN_MASTER_KEY: z.string().min(1),
  LENDEN_HOST: optional(z.string()),
  LENDEN_API_PORT: optional(port),
  LENDEN_WEB_PORT: optional(port),
  LENDEN_API_URL: origin,
  LENDEN_WEB_URL: origin,
  LENDEN_TEMPORAL_UI: optional(z.string()),
  LENDEN_TRUSTED_PROXIES: optional(z.coerce.number().int().min(0).max(10)),
  LENDEN_SESSION_IDLE_MINUTES: optional(z.coerce.number().int().min(1).max(720)),
  LENDEN_SESSION_HOURS: optional(z.coerce.number().int().min(1).max(168)),
  LENDEN_RETENTION_CALLBACK_DAYS: optional(z.coerce.number().int().min(7).max(3_650)),
  LENDEN_RETENTION_KEY_DAYS: optional(z.coerce.number().int().min(0).max(3_650)),
  LENDEN_RETENTION_DELIVERY_DAYS: optional(z.coerce.number().int().min(7).max(3_650)),
  // Sessions are needed for 30 days: logins from an address used in that time are not slowed down by others' guesses.
  LENDEN_RETENTION_SESSION_DAYS: optional(z.coerce.number().int().min(30).max(3_650)),
  LENDEN_LOG_LEVEL: optional(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])),
  LENDEN_WORKFLOW_BUNDLE: optional(z.string()),
  LENDEN_CACHED_WORKFLOWS: optional(z.coerce.number().int().min(10).max(100_000)),
});

/**
 * Reads and checks the settings.
 *
 * @param databaseRoles - what the process runs as in the database; it must have a login for each, and is given no other
 * @throws SettingsError that lists every missing or malformed variable by name; values are never repeated.
 */
export function readConfig(
  environment: NodeJS.ProcessEnv,
  { databaseRoles = [] }: { readonly databaseRoles?: readonly RuntimeRole[] } = {},
): Config {
  const parsed = Environment.safeParse(environment);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const sslcommerz = new Map(MODES.map((mode) => [mode, readSslcommerz(environment, mode, problems)]));
  const bkash = new Map(MODES.map((mode) => [mode, readBkash(environment, mode, problems)]));
  const nagad = new Map(MODES.map((mode) => [mode, readNagad(environment, mode, problems)]));
  const stripe = new Map(MODES.map((mode) => [mode, readStripe(environment, mode, problems)]));
  problems.push(...masterKeyProblems(environment));
  const mail = readMail(environment, problems);
  const temporal = readTemporalServer(environment, problems);
  const outboundAllow = readAllowList(environment, problems);
  if (isProduction(environment)) {
    problems.push(...unprotectedUrls(environment), ...oneOrigin(parsed.data));
  }
  const databaseUrls = readLogins(environment, { databaseRoles, problems });
  if (!parsed.success || problems.length > 0) {
    throw new SettingsError(`Lenden cannot start with these settings:\n  ${problems.join('\n  ')}`);
  }
  const env = parsed.data;
  return {
    environment: env.LENDEN_ENV ?? 'production',
    databaseUrls,
    masterKey: env.LENDEN_MASTER_KEY,
    host: env.LENDEN_HOST ?? '127.0.0.1',
    apiPort: env.LENDEN_API_PORT ?? 8080,
    webPort: env.LENDEN_WEB_PORT ?? 3000,
    apiUrl: env.LENDEN_API_URL,
    webUrl: env.LENDEN_WEB_URL,
    temporal: { ...temporal, uiUrl: env.LENDEN_TEMPORAL_UI ?? null },
    sslcommerz,
    bkash,
    nagad,
    stripe,
    sessionLimits: {
      idleMs: (env.LENDEN_SESSION_IDLE_MINUTES ?? 30) * 60_000,
      absoluteMs: (env.LENDEN_SESSION_HOURS ?? 8) * 3_600_000,
    },
    retention: {
      callbackDays: env.LENDEN_RETENTION_CALLBACK_DAYS ?? 90,
      keyDays: env.LENDEN_RETENTION_KEY_DAYS ?? 0,
      deliveryDays: env.LENDEN_RETENTION_DELIVERY_DAYS ?? 90,
      sessionDays: env.LENDEN_RETENTION_SESSION_DAYS ?? 90,
    },
    outboundAllow,
    mail,
    trustedProxies: env.LENDEN_TRUSTED_PROXIES ?? 0,
    logLevel: env.LENDEN_LOG_LEVEL ?? 'info',
    workflowBundle: env.LENDEN_WORKFLOW_BUNDLE ?? null,
    cachedWorkflowsMax: env.LENDEN_CACHED_WORKFLOWS ?? 1_000,
  };
}

/** The error for wrong settings. It is shown to a person, without a stack. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** A missing key is reported by the schema. */
function masterKeyProblems(environment: NodeJS.ProcessEnv): string[] {
  try {
    const keys = [...parseMasterKeys(environment['LENDEN_MASTER_KEY'] || EXAMPLE_KEY).values()];
    const isDull = keys.some((key) => key.every((byte) => byte === key[0]));
    return isDull
      ? ['LENDEN_MASTER_KEY: must be random; all bytes of a key are the same (npm run secrets -- new-key)']
      : [];
  } catch (error) {
    return [
      error instanceof Error
        ? error.message.replace('LENDEN_MASTER_KEY ', 'LENDEN_MASTER_KEY: ')
        : 'LENDEN_MASTER_KEY: malformed',
    ];
  }
}

const EXAMPLE_KEY = `example:${Buffer.from('an example that is never used...').toString('base64')}`;

/** The API and the pages listen on two ports and need two origins: a proxy could serve only one of them under one name. */
function oneOrigin(env: { readonly LENDEN_API_URL: string; readonly LENDEN_WEB_URL: string } | undefined): string[] {
  return env !== undefined && env.LENDEN_API_URL === env.LENDEN_WEB_URL
    ? ['LENDEN_API_URL, LENDEN_WEB_URL: must be two different origins, for the API and for the pages']
    : [];
}

/** URLs that carry payments or payers and need TLS in production. Nagad's URLs have a rule of their own. */
const PROTECTED_URLS = [
  'LENDEN_API_URL',
  'LENDEN_WEB_URL',
  'SSLCOMMERZ_LIVE_URL',
  'BKASH_LIVE_URL',
  'STRIPE_LIVE_URL',
] as const;

function unprotectedUrls(environment: NodeJS.ProcessEnv): string[] {
  return PROTECTED_URLS.filter((name) => /^http:/i.test(environment[name] ?? '')).map(
    (name) => `${name}: must begin with https:// in production`,
  );
}

function readAllowList(environment: NodeJS.ProcessEnv, problems: string[]): AllowList {
  try {
    return parseAllowList(environment['LENDEN_OUTBOUND_ALLOW'] ?? '', { everyPort: !isProduction(environment) });
  } catch (error) {
    problems.push(error instanceof Error ? error.message : 'LENDEN_OUTBOUND_ALLOW: malformed');
    return parseAllowList('');
  }
}

/** Each URL must name its own role, so that no process runs as the owner by mistake. */
function readLogins(
  environment: NodeJS.ProcessEnv,
  { databaseRoles, problems }: { readonly databaseRoles: readonly RuntimeRole[]; readonly problems: string[] },
): RuntimeUrls {
  const logins: Partial<Record<RuntimeRole, string>> = {};
  for (const role of databaseRoles) {
    const variable = RUNTIME_URL_VARIABLES[role];
    const url = environment[variable] ?? '';
    if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol) || new URL(url).username !== role) {
      problems.push(`${variable}: must be a postgresql:// URL of the user ${role}`);
      continue;
    }
    try {
      tlsOf(url);
      logins[role] = url;
    } catch (error) {
      problems.push(`${variable}: ${error instanceof Error ? error.message : 'malformed'}`);
    }
  }
  return logins;
}
