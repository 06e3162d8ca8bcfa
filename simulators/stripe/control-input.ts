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
import { faultKinds, findScript, operations } from './scripts.ts';
import type { EventScript, Fault, Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const whole = wholeUpTo(400 * 24 * 3_600_000);
const word: Check = (value) => typeof value === 'string' && /^[a-z_.]{1,60}$/.test(value);

const faultChecks: Record<keyof Fault, Check> = {
  kind: oneOf(...faultKinds),
  times: (value) => whole(value) && value !== 0,
  executed: oneOf(true, false, 'late'),
  early: flag,
  delayMs: whole,
  set: answerMembers,
  code: word,
};
const fault = ofKind(faultChecks);

const eventChecks: Record<keyof EventScript, Check> = {
  timing: oneOf('now', 'late', 'held', 'never'),
  copies: whole,
  signature: oneOf('good', 'bad', 'absent', 'old'),
  lateTypes: listOf(word),
};

const scriptChecks: Record<keyof Script, Check> = {
  faults: membersOf(Object.fromEntries(operations.map((operation) => [operation, listOf(fault)]))),
  pay: oneOf('declined', 'delayed-succeeds', 'delayed-fails', 'delayed-stays', 'expired'),
  returns: flag,
  events: membersOf(eventChecks),
  chargeLess: whole,
  riskLevel: oneOf('elevated'),
  refunds: oneOf('pending', 'fails', 'silent'),
  feeUnknown: flag,
  settlesIn: word,
};

const settingsChecks: Record<keyof Settings, Check> = {
  hangMs: whole,
  slowMs: whole,
  delayedAfterMs: whole,
  pendingRefundMs: whole,
  lateEventMs: whole,
  eventTimeoutMs: whole,
  eventRetryMs: listOf(whole),
  idempotencyTtlMs: whole,
  feeBps: whole,
  feeFixed: whole,
  script: membersOf(scriptChecks),
};

/** @throws BodyError naming the invalid member */
export const parseScript = (value: unknown): Script =>
  readScript<Script>(value, { find: findScript, checks: scriptChecks });

/** @throws BodyError naming the invalid member */
export const parseSettings = (value: unknown): Partial<Settings> => readSettings<Settings>(value, settingsChecks);
