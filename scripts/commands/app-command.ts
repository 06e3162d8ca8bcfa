import type { ParseArgsOptionsConfig } from 'node:util';
import type { ApplicationSettings } from '../../core/applications/store/applications.ts';
import { KEY_CONTRACTS, SCOPES, type WantedCredential } from '../../core/applications/store/credentials.ts';
import type { CustomerDefaults } from '../../database/entities/application.ts';
import { isCurrency } from '../../domain/currency.ts';
import type { Mode } from '../../domain/mode.ts';
import { APPROVAL_CURRENCY } from '../../domain/refund.ts';
import { SHADHINPAY_EVENT_NAMES } from '../../domain/shadhinpay.ts';

export const USAGE = `npm run app -- create --name NAME [settings]
npm run app -- set --id ID [settings]
npm run app -- keys --id ID                        list its keys
npm run app -- issue --id ID --mode TEST|LIVE [key]  issue a key; existing ones keep working
npm run app -- rotate --id ID --mode TEST|LIVE [key] [--grace-hours N]
npm run app -- revoke --id ID --key N              revoke a key immediately, by its number in the list

settings:
  --name NAME              shown to payers
  --webhook-url URL        where events are sent, of both modes unless TEST has a URL; "" for none
  --test-webhook-url URL   where TEST events are sent; "" to send them to --webhook-url
  --return-origin ORIGIN   where payers may be returned to, e.g. https://shop.example; may be repeated; "" for none
  --expiry-minutes N       how long a checkout stays open (1 to 1440)
  --rate-limit N           requests per minute and credential
  --min-amount N           smallest payment in minor units; "" for none
  --max-amount N           largest payment in minor units; "" for none
  --refund-threshold C=N   what one operator may refund alone in a currency, in minor units, e.g. BDT=500000; may be repeated;
                           replaces all thresholds; "" for none
  --unapplied-payments POLICY   review or refund
  --receipts on|off        whether GET /payments/{id}/receipt answers
  --customer-default K=V   customer details for the gateway if the payment has none; K is one of
                           name, email, phone, address, city, postcode, country; may be repeated; "" for none
  --shadhinpay-event NAME  which events of ShadhinPay's contract are sent; may be repeated; "" for the default ones
key:
  --contract CONTRACT        native (default), ownpay or shadhinpay
  --label TEXT             what the key is for
  --scope read|write       what an OwnPay key may do; may be repeated (default: both)
others:
  --grace-hours N          how long the previous key keeps working (0 to 720, default 24)
  --directory DIR          the data directory of npm start (default .lenden)
  --json                   one line of JSON`;

/** The flags in the form that `parseArgs` takes. */
export const OPTIONS = {
  id: { type: 'string' },
  name: { type: 'string' },
  'webhook-url': { type: 'string' },
  'test-webhook-url': { type: 'string' },
  'return-origin': { type: 'string', multiple: true },
  'expiry-minutes': { type: 'string' },
  'rate-limit': { type: 'string' },
  'min-amount': { type: 'string' },
  'max-amount': { type: 'string' },
  'refund-threshold': { type: 'string', multiple: true },
  'unapplied-payments': { type: 'string' },
  receipts: { type: 'string' },
  'customer-default': { type: 'string', multiple: true },
  'shadhinpay-event': { type: 'string', multiple: true },
  mode: { type: 'string' },
  key: { type: 'string' },
  contract: { type: 'string' },
  label: { type: 'string' },
  scope: { type: 'string', multiple: true },
  'grace-hours': { type: 'string' },
  directory: { type: 'string', default: '.lenden' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

/** The error for a command line that is well-formed but asks for something impossible. Its message is meant for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type AppCommand =
  | { readonly action: 'create'; readonly settings: ApplicationSettings & { readonly name: string } }
  | { readonly action: 'set'; readonly id: bigint; readonly settings: ApplicationSettings }
  | { readonly action: 'keys'; readonly id: bigint }
  | { readonly action: 'issue'; readonly id: bigint; readonly key: WantedCredential }
  | { readonly action: 'revoke'; readonly id: bigint; readonly credentialId: bigint }
  | {
      readonly action: 'rotate';
      readonly id: bigint;
      readonly key: WantedCredential;
      readonly graceHours: { readonly graceHours?: number };
    };

const OF_KEYS = ['mode', 'key', 'contract', 'label', 'scope', 'grace-hours'] as const;

/** The flags above as parsed by `parseArgs`. */
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
    throw new UsageError(`Unexpected argument "${rest.join(' ')}". Quote values that contain spaces.`);
  }
  const settings = readSettings(values);
  switch (action) {
    case 'create':
      refuse(values, { action, flags: ['id', ...OF_KEYS] });
      return { action, settings: { ...settings, name: settings.name ?? required('name') } };
    case 'set':
      refuse(values, { action, flags: OF_KEYS });
      if (Object.keys(settings).length === 0) {
        throw new UsageError('Nothing to set: give at least one setting.');
      }
      return { action, id: readId(values), settings };
    case 'keys':
    case 'issue':
    case 'rotate':
    case 'revoke':
      if (Object.keys(settings).length > 0) {
        throw new UsageError(`${action} takes no settings.`);
      }
      return readKeyCommand(action, values);
    default:
      throw new UsageError(
        action === undefined
          ? 'Give an action.'
          : `"${action}" is not one of create, set, keys, issue, rotate, revoke.`,
      );
  }
}

function readKeyCommand(action: 'keys' | 'issue' | 'rotate' | 'revoke', values: AppFlags): AppCommand {
  const id = readId(values);
  switch (action) {
    case 'keys':
      refuse(values, { action, flags: OF_KEYS });
      return { action, id };
    case 'revoke':
      refuse(values, { action, flags: OF_KEYS.filter((flag) => flag !== 'key') });
      return { action, id, credentialId: readNumber(values, 'key') };
    case 'issue':
      refuse(values, { action, flags: ['key', 'grace-hours'] });
      return { action, id, key: readKey(values) };
    case 'rotate':
      refuse(values, { action, flags: ['key'] });
      return { action, id, key: readKey(values), graceHours: readGrace(values) };
  }
}

function readKey(values: AppFlags): WantedCredential {
  const contract = text(values, 'contract');
  const label = text(values, 'label');
  const scopes = Array.isArray(values['scope']) ? values['scope'].map(readScope) : undefined;
  const known = KEY_CONTRACTS.find((name) => name === (contract ?? 'native'));
  if (known === undefined) {
    throw new UsageError(`--contract must be ${KEY_CONTRACTS.join(' or ')}, not "${contract}".`);
  }
  if (scopes !== undefined && known !== 'ownpay') {
    throw new UsageError(`--scope does not apply to ${known} keys.`);
  }
  return {
    mode: readMode(values),
    contract: known,
    ...(label === undefined ? {} : { label }),
    ...(scopes === undefined ? {} : { scopes }),
  };
}

function readScope(given: string) {
  const scope = SCOPES.find((name) => name === given);
  if (scope === undefined) {
    throw new UsageError(`--scope must be ${SCOPES.join(' or ')}, not "${given}".`);
  }
  return scope;
}

function readSettings(values: AppFlags): ApplicationSettings {
  const name = text(values, 'name');
  const webhookUrl = url(values, 'webhook-url');
  const testWebhookUrl = url(values, 'test-webhook-url');
  const origins = values['return-origin'];
  const expiryMinutes = whole(values, { flag: 'expiry-minutes', from: 1, to: 1440 });
  const rateLimitPerMinute = whole(values, { flag: 'rate-limit', from: 1, to: 1_000_000 });
  const minAmountMinor = amount(values, 'min-amount');
  const maxAmountMinor = amount(values, 'max-amount');
  const thresholds = values['refund-threshold'];
  const policy = text(values, 'unapplied-payments');
  const receipts = text(values, 'receipts');
  const defaults = values['customer-default'];
  const events = values['shadhinpay-event'];
  if (name !== undefined && (name.trim() === '' || name.length > 100)) {
    throw new UsageError('--name must have 1 to 100 characters.');
  }
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
    ...(testWebhookUrl === undefined ? {} : { testWebhookUrl }),
    ...(Array.isArray(origins) ? { returnOrigins: origins.filter((origin) => origin !== '').map(readOrigin) } : {}),
    ...(expiryMinutes === undefined ? {} : { expiryMinutes }),
    ...(rateLimitPerMinute === undefined ? {} : { rateLimitPerMinute }),
    ...(minAmountMinor === undefined ? {} : { minAmountMinor }),
    ...(maxAmountMinor === undefined ? {} : { maxAmountMinor }),
    ...(Array.isArray(thresholds) ? readThresholds(thresholds) : {}),
    ...(policy === undefined ? {} : { unappliedPaymentPolicy: readPolicy(policy) }),
    ...(receipts === undefined ? {} : { receiptsEnabled: readSwitch(receipts) }),
    ...(Array.isArray(defaults) ? { customerDefaults: readCustomerDefaults(defaults) } : {}),
    ...(Array.isArray(events) ? { shadhinpayEvents: readEvents(events) } : {}),
  };
}

/** One threshold for BDT, and one for all other currencies. */
function readThresholds(
  given: readonly string[],
): Pick<ApplicationSettings, 'refundApprovalThresholdMinor' | 'refundApprovalThresholds'> {
  const pairs = given
    .filter((pair) => pair !== '')
    .map((pair): [string, bigint] => {
      const [, currency = '', minor = ''] = /^([A-Z]{3})=(\d{1,15})$/.exec(pair) ?? [];
      if (!isCurrency(currency)) {
        throw new UsageError(
          `--refund-threshold takes CURRENCY=AMOUNT in minor units, such as BDT=500000, not "${pair}".`,
        );
      }
      return [currency, BigInt(minor)];
    });
  const { [APPROVAL_CURRENCY]: bdt = null, ...others } = Object.fromEntries(pairs);
  return { refundApprovalThresholdMinor: bdt, refundApprovalThresholds: others };
}

function readId(values: AppFlags): bigint {
  return readNumber(values, 'id');
}

function readNumber(values: AppFlags, flag: 'id' | 'key'): bigint {
  const id = text(values, flag) ?? required(flag);
  if (!/^[1-9]\d{0,17}$/.test(id)) {
    throw new UsageError(`--${flag} must be ${flag === 'id' ? "an application's" : "a key's"} number, not "${id}".`);
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
    throw new UsageError(`--unapplied-payments must be review or refund, not "${policy}".`);
  }
  return upper;
}

function readSwitch(value: string): boolean {
  if (value !== 'on' && value !== 'off') {
    throw new UsageError(`--receipts must be on or off, not "${value}".`);
  }
  return value === 'on';
}

function readEvents(names: readonly string[]): string[] | null {
  const given = names.filter((name) => name !== '');
  const unknown = given.find((name) => !SHADHINPAY_EVENT_NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UsageError(`--shadhinpay-event must be one of ${SHADHINPAY_EVENT_NAMES.join(', ')}, not "${unknown}".`);
  }
  return given.length === 0 ? null : given;
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

function url(values: AppFlags, flag: 'webhook-url' | 'test-webhook-url'): string | null | undefined {
  const value = text(values, flag);
  if (value === undefined || value === '') {
    return value === undefined ? undefined : null;
  }
  const parsed = URL.parse(value);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new UsageError(`--${flag} must be an http(s) URL without a user name, not "${value}".`);
  }
  return parsed.href;
}

/** Brings an origin to the spelling that browsers use, because origins are later compared as text. */
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
