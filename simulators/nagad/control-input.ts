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
import { endings, faultKinds, findScript, operations } from './scripts.ts';
import type { Fault, Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(2 ** 31 - 1);

const faultChecks: Record<keyof Fault, Check> = {
  kind: oneOf(...faultKinds),
  times: (value) => milliseconds(value) && value !== 0,
  executed: flag,
  early: flag,
  delayMs: milliseconds,
  set: textMembers,
  reason: text,
};
const fault = ofKind(faultChecks);

const scriptChecks: Record<keyof Script, Check> = {
  faults: membersOf(Object.fromEntries(operations.map((operation) => [operation, listOf(fault)]))),
  pay: oneOf(...endings),
  when: oneOf('now', 'late', 'never'),
  returns: flag,
  returnStatus: oneOf('Success', 'Aborted', 'Failed'),
  unpadded: flag,
  chargeLess: (value) => typeof value === 'string' && /^\d{1,8}(\.\d{1,2})?$/.test(value),
  orderTtlMs: milliseconds,
};

const settingsChecks: Record<keyof Settings, Check> = {
  orderTtlMs: milliseconds,
  expiredAs: oneOf('Aborted', 'Initiated'),
  repeatedOrder: oneOf('refused', 'untilComplete', 'accepted'),
  steps: flag,
  lateChargeMs: milliseconds,
  hangMs: milliseconds,
  slowMs: milliseconds,
  inactiveMerchants: listOf(text),
  script: membersOf(scriptChecks),
};

/** @throws BodyError naming the invalid member */
export const parseScript = (value: unknown): Script =>
  readScript<Script>(value, { find: findScript, checks: scriptChecks });

/** @throws BodyError naming the invalid member */
export const parseSettings = (value: unknown): Partial<Settings> => readSettings<Settings>(value, settingsChecks);
