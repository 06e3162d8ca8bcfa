import {
  flag,
  listOf,
  membersOf,
  ofKind,
  oneOf,
  readScript,
  readSettings,
  text,
  textMembers,
  wholeUpTo,
  type Check,
} from '../member-checks.ts';
import { faultKinds, findScript, operations } from './scripts.ts';
import type { Fault, Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(2 ** 31 - 1);

const positive: Check = (value) => milliseconds(value) && value !== 0;
const faultChecks: Record<keyof Fault, Check> = {
  kind: oneOf(...faultKinds),
  times: positive,
  executed: flag,
  early: flag,
  delayMs: milliseconds,
  set: textMembers,
  reason: text,
};
const fault = ofKind(faultChecks);

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

/** @throws BodyError naming the invalid member */
export const parseScript = (value: unknown): Script =>
  readScript<Script>(value, { find: findScript, checks: scriptChecks });

/** @throws BodyError naming the invalid member */
export const parseSettings = (value: unknown): Partial<Settings> => readSettings<Settings>(value, settingsChecks);
