import type { ParseArgsOptionsConfig } from 'node:util';
import type { ApplicationSettings } from '../database/applications.ts';
import type { CustomerDefaults } from '../database/entities/application.ts';
import type { Mode } from '../domain/mode.ts';

export const USAGE = `npm run app -- create --name NAME [settings]
npm run app -- set --id ID [settings]
npm run app -- rotate --id ID --mode TEST|LIVE [--grace-hours N]

settings:
  --name NAME              shown to payers
  --webhook-url URL        where events are sent; "" for none
  --return-origin ORIGIN   where payers may be sent back to, e.g. https://shop.example; may be repeated; "" for none
  --expiry-minutes N       how long a checkout stays open (1 to 1440)
  --rate-limit N           requests a minute and credential
  --min-amount N           smallest payment in minor units; "" for none
  --max-amount N           largest payment in minor units; "" for none
  --late-payments POLICY   review or refund
  --receipts on|off        whether GET /payments/{id}/receipt answers
  --customer-default K=V   what the gateway is told of a customer when the payment does not say; K is one of
                           name, email, phone, address, city, postcode, country; may be repeated; "" for none
others:
  --grace-hours N          how long the former key still works (0 to 720, default 24)
  --directory DIR          the data of npm start (default .lenden)
  --json                   one line of JSON`;

/** The flags, as `parseArgs` takes them. */
export const OPTIONS = {
  id: { type: 'string' },
  name: { type: 'string' },
  'webhook-url': { type: 'string' },
  'return-origin': { type: 'string', multiple: true },
  'expiry-minutes': { type: 'string' },
  'rate-limit': { type: 'string' },
  'min-amount': { type: 'string' },
  'max-amount': { type: 'string' },
  'late-payments': { type: 'string' },
  receipts: { type: 'string' },
  'customer-default': { type: 'string', multiple: true },
  mode: { type: 'string' },
  'grace-hours': { type: 'string' },
  directory: { type: 'string', default: '.lenden' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

/** The command line was understood but asks for something that cannot be; the message is for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type AppCommand =
  | { readonly action: 'create'; readonly settings: ApplicationSettings & { readonly name: string } }
  | { readonly action: 'set'; readonly id: bigint; readonly settings: ApplicationSettings }
  | {
      readonly action: 'rotate';
      readonly id: bigint;
      readonly mode: Mode;
      readonly graceHours: { readonly graceHours?: number };
    };

/** What `parseArgs` makes of the flags above. */
export type AppFlags = {
  readonly [name in keyof typeof OPTIONS]?: string | string[] | boolean | undefined;
};

/**
 * Turns parsed flags into one command.
 * @throws UsageError
 */
export function readCommand({ values, positionals }: { values: AppFlags; positionals: readonly string[] }): AppCommand {
  const [action, ...rest] = positionals;
  if (rest.length > 0) {
    throw new UsageError(`What is "${rest.join(' ')}"? Values with blanks need quotes.`);
  }
  const settings = readSettings(values);
  switch (action) {
    case 'create':
      refuse(values, { action, flags: ['id', 'mode', 'grace-hours'] });
      return { action, settings: { ...settings, name: settings.name ?? required('name') } };
    case 'set':
      refuse(values, { action, flags: ['mode', 'grace-hours'] });
      if (Object.keys(settings).length === 0) {
        throw new UsageError('Nothing to set: give at least one setting.');
      }
      return { action, id: readId(values), settings };
    case 'rotate':
      if (Object.keys(settings).length > 0) {
        throw new UsageError('rotate takes --id, --mode and --grace-hours only.');
      }
      return { action, id: readId(values), mode: readMode(values), graceHours: readGrace(values) };
    default:
      throw new UsageError(action === undefined ? 'What to do?' : `"${action}" is none of create, set, rotate.`);
  }
}

function readSettings(values: AppFlags): ApplicationSettings {
  const name = text(values, 'name');
  const webhookUrl = text(values, 'webhook-url');
  const origins = values['return-origin'];
  const expiryMinutes = whole(values, { flag: 'expiry-minutes', from: 1, to: 1440 });
  const rateLimitPerMinute = whole(values, { flag: 'rate-limit', from: 1, to: 1_000_000 });
  const minAmountMinor = amount(values, 'min-amount');
  const maxAmountMinor = amount(values, 'max-amount');
  const policy = text(values, 'late-payments');
  const receipts = text(values, 'receipts');
  const defaults = values['customer-default'];
  if (name !== undefined && (name.trim() === '' || name.length > 100)) {
    throw new UsageError('--name must have 1 to 100 characters.');
  }
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(webhookUrl === undefined ? {} : { webhookUrl: webhookUrl === '' ? null : readUrl(webhookUrl) }),
    ...(Array.isArray(origins) ? { returnOrigins: origins.filter((origin) => origin !== '').map(readOrigin) } : {}),
    ...(expiryMinutes === undefined ? {} : { expiryMinutes }),
    ...(rateLimitPerMinute === undefined ? {} : { rateLimitPerMinute }),
    ...(minAmountMinor === undefined ? {} : { minAmountMinor }),
    ...(maxAmountMinor === undefined ? {} : { maxAmountMinor }),
    ...(policy === undefined ? {} : { latePaymentPolicy: readPolicy(policy) }),
    ...(receipts === undefined ? {} : { receiptsEnabled: readSwitch(receipts) }),
    ...(Array.isArray(defaults) ? { customerDefaults: readCustomerDefaults(defaults) } : {}),
  };
}

function readId(values: AppFlags): bigint {
  const id = text(values, 'id') ?? required('id');
  if (!/^[1-9]\d{0,17}$/.test(id)) {
    throw new UsageError(`--id must be an application's number, not "${id}".`);
  }
  return BigInt(id);
}

function readMode(values: AppFlags): Mode {
  const mode = (text(values, 'mode') ?? required('mode')).toUpperCase();
  if (mode !== 'TEST' && mode !== 'LIVE') {
    throw new UsageError(`--mode must be TEST or LIVE, not "${mode}".`);
  }
  return mode;
}

function readGrace(values: AppFlags): { graceHours?: number } {
  const graceHours = whole(values, { flag: 'grace-hours', from: 0, to: 720 });
  return graceHours === undefined ? {} : { graceHours };
}

function readPolicy(policy: string): 'REVIEW' | 'REFUND' {
  const upper = policy.toUpperCase();
  if (upper !== 'REVIEW' && upper !== 'REFUND') {
    throw new UsageError(`--late-payments must be review or refund, not "${policy}".`);
  }
  return upper;
}

function readSwitch(value: string): boolean {
  if (value !== 'on' && value !== 'off') {
    throw new UsageError(`--receipts must be on or off, not "${value}".`);
  }
  return value === 'on';
}

const CUSTOMER_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'email',
  'phone',
  'address',
  'city',
  'postcode',
  'country',
]);

function readCustomerDefaults(pairs: readonly string[]): CustomerDefaults {
  const defaults = pairs
    .filter((pair) => pair !== '')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
  for (const [field = '', value = ''] of defaults) {
    if (!CUSTOMER_FIELDS.has(field) || value === '' || value.length > 50) {
      throw new UsageError(
        `--customer-default takes FIELD=VALUE with a known field and 1 to 50 characters, not "${field}=${value}".`,
      );
    }
  }
  return Object.fromEntries(defaults);
}

function readUrl(value: string): string {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new UsageError(`--webhook-url must be an http(s) URL without a user name, not "${value}".`);
  }
  return url.href;
}

/** Compared as text later, so it is brought to the one spelling that browsers use. */
function readOrigin(value: string): string {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new UsageError(`--return-origin must be an origin such as https://shop.example, not "${value}".`);
  }
  return url.origin;
}

function whole(values: AppFlags, { flag, from, to }: { flag: keyof AppFlags; from: number; to: number }) {
  const value = text(values, flag);
  if (value === undefined) {
    return undefined;
  }
  if (!/^\d{1,9}$/.test(value) || Number(value) < from || Number(value) > to) {
    throw new UsageError(`--${flag} must be a whole number from ${from} to ${to}, not "${value}".`);
  }
  return Number(value);
}

function amount(values: AppFlags, flag: 'min-amount' | 'max-amount'): bigint | null | undefined {
  const value = text(values, flag);
  if (value === undefined || value === '') {
    return value === undefined ? undefined : null;
  }
  if (!/^[1-9]\d{0,15}$/.test(value) || BigInt(value) > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(`--${flag} must be a whole number of minor units, not "${value}".`);
  }
  return BigInt(value);
}

function text(values: AppFlags, flag: keyof AppFlags): string | undefined {
  const value = values[flag];
  return typeof value === 'string' ? value : undefined;
}

function required(flag: string): never {
  throw new UsageError(`--${flag} is missing.`);
}

function refuse(values: AppFlags, { action, flags }: { action: string; flags: readonly (keyof AppFlags)[] }): void {
  const given = flags.find((flag) => values[flag] !== undefined);
  if (given !== undefined) {
    throw new UsageError(`${action} does not take --${given}.`);
  }
}
