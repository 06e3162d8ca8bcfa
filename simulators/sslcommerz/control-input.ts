import { BodyError } from '../form-body.ts';
import { faultKinds, findScript, operations } from './scripts.ts';
import type { Fault, Script } from './scripts.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

type Check = (value: unknown) => boolean;

const milliseconds: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 2 ** 31 - 1;
const text: Check = (value) => typeof value === 'string' && value.length <= 1_000;
const flag: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 100 && value.every(check);
const membersOf =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([name, one]) => Object.hasOwn(checks, name) && checks[name]?.(one));
const textMembers: Check = (value) => isObject(value) && Object.values(value).every(text);

const positive: Check = (value) => milliseconds(value) && value !== 0;
const faultChecks: Record<keyof Fault, Check> = {
  kind: oneOf(...faultKinds),
  times: positive,
  carriedOut: flag,
  early: flag,
  delayMs: milliseconds,
  set: textMembers,
  reason: text,
};
const fault: Check = (value) => membersOf(faultChecks)(value) && isObject(value) && value['kind'] !== undefined;

const scriptChecks: Record<keyof Script, Check> = {
  faults: membersOf(Object.fromEntries(operations.map((operation) => [operation, listOf(fault)]))),
  pay: oneOf('VALID', 'FAILED', 'CANCELLED', 'UNATTEMPTED', 'EXPIRED'),
  error: text,
  returns: flag,
  notice: membersOf({
    timing: oneOf('before', 'after', 'late', 'held', 'never'),
    copies: oneOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    signature: oneOf('good', 'bad', 'absent', 'md5_only'),
    delayMs: milliseconds,
    set: textMembers,
  }),
  risk: oneOf('0', '1'),
  unpadded: flag,
  subscriptionId: flag,
  chargeLess: (value) => typeof value === 'string' && /^\d{1,8}(\.\d{1,2})?$/.test(value),
  refund: oneOf('refunded', 'cancelled', 'failed'),
  refundAfterMs: (value) => milliseconds(value) || value === 'long' || value === 'never',
  sessionTtlMs: milliseconds,
};

const settingsChecks: Record<keyof Settings, Check> = {
  sessionTtlMs: milliseconds,
  noticeRetryMs: listOf(milliseconds),
  noticeTimeoutMs: positive,
  afterReturnMs: milliseconds,
  lateNoticeMs: milliseconds,
  hangMs: milliseconds,
  slowMs: milliseconds,
  refundAfterMs: milliseconds,
  longRefundMs: milliseconds,
  refundTransId: oneOf('required', 'optional'),
  numOfItem: oneOf('always', 'shipped'),
  otpStep: flag,
  inactiveStores: listOf(text),
  script: membersOf(scriptChecks),
};

/**
 * Reads a script: the number or name of a row of the table, or an object.
 * @throws BodyError naming the member that is not understood
 */
export function parseScript(value: unknown): Script {
  if (typeof value === 'string') {
    const script = findScript(value);
    if (!script) {
      throw new BodyError(400, `There is no script ${value}`);
    }
    return script;
  }
  refuseBadMembers({ value, checks: scriptChecks, where: 'script' });
  return value as Script;
}

/**
 * Reads the settings to change; the others stay.
 * @throws BodyError naming the member that is not understood
 */
export function parseSettings(value: unknown): Partial<Settings> {
  refuseBadMembers({ value, checks: settingsChecks, where: `config (${Object.keys(defaultSettings).join(', ')})` });
  return value as Partial<Settings>;
}

function refuseBadMembers(given: { value: unknown; checks: Readonly<Record<string, Check>>; where: string }): void {
  if (!isObject(given.value)) {
    throw new BodyError(400, `${given.where} must be an object`);
  }
  for (const [name, one] of Object.entries(given.value)) {
    if (!Object.hasOwn(given.checks, name) || !given.checks[name]?.(one)) {
      throw new BodyError(400, `${given.where}: ${name} is unknown or has a wrong value`);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
