import {
  answerMembers,
  flag,
  listOf,
  membersOf,
  ofKind,
  oneOf,
  readScript,
  readSettings,
  wholeUpTo,
  type Check,
} from '../member-checks.ts';
import { codeTexts } from './codes.ts';
import { faultKinds, findScript, operations } from './scripts.ts';
import type { Fault, Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(400 * 24 * 3_600_000);
const code = oneOf(...Object.keys(codeTexts));

const faultChecks: Record<keyof Fault, Check> = {
  kind: oneOf(...faultKinds),
  times: (value) => milliseconds(value) && value !== 0,
  executed: oneOf(true, false, 'late'),
  early: flag,
  delayMs: milliseconds,
  set: answerMembers,
  code,
};
const fault = ofKind(faultChecks);

const scriptChecks: Record<keyof Script, Check> = {
  faults: membersOf(Object.fromEntries(operations.map((operation) => [operation, listOf(fault)]))),
  confirm: oneOf('success', 'failure', 'cancel', 'expired', 'nothing'),
  returns: flag,
  declinedBy: code,
  chargeLess: (value) => typeof value === 'string' && /^\d{1,8}(\.\d{1,2})?$/.test(value),
  amounts: oneOf('unpadded', 'numbers'),
  endedStatus: oneOf('named'),
  paymentTtlMs: milliseconds,
  refundWindowMs: milliseconds,
};

const settingsChecks: Record<keyof Settings, Check> = {
  tokenTtlMs: milliseconds,
  refreshTokenTtlMs: milliseconds,
  tokenCallsPerHour: milliseconds,
  tokenBlockMs: milliseconds,
  paymentTtlMs: milliseconds,
  hangMs: milliseconds,
  slowMs: milliseconds,
  refundWindowMs: milliseconds,
  prematureCode: code,
  repeatedCode: code,
  endedStatus: oneOf('initiated', 'named'),
  paidInvoice: oneOf('refused', 'allowed'),
  noticeUrl: (value) => value === '' || (typeof value === 'string' && value.length <= 1_000 && URL.canParse(value)),
  script: membersOf(scriptChecks),
};

/** @throws BodyError naming the invalid member */
export const parseScript = (value: unknown): Script =>
  readScript<Script>(value, { find: findScript, checks: scriptChecks });

/** @throws BodyError naming the invalid member */
export const parseSettings = (value: unknown): Partial<Settings> => readSettings<Settings>(value, settingsChecks);
