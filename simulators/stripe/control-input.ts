import {
  answerMembers,
  faultsOf,
  flag,
  inputReaders,
  listOf,
  membersOf,
  oneOf,
  wholeUpTo,
} from '../kit/member-checks.ts';
import type { Check } from '../kit/member-checks.ts';
import { payoutChanges } from '../kit/payouts/settings.ts';
import { faultKinds, findScript, operations } from './scripts.ts';
import type { EventScript, Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const whole = wholeUpTo(400 * 24 * 3_600_000);
const word: Check = (value) => typeof value === 'string' && /^[a-z_.]{1,60}$/.test(value);

const eventChecks: Record<keyof EventScript, Check> = {
  timing: oneOf('now', 'late', 'held', 'never'),
  copies: whole,
  signature: oneOf('good', 'bad', 'absent', 'old'),
  lateTypes: listOf(word),
};

const scriptChecks: Record<keyof Script, Check> = {
  faults: faultsOf(operations, { kinds: faultKinds, whole: whole, own: { set: answerMembers, code: word } }),
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
  payouts: payoutChanges,
  script: membersOf(scriptChecks),
};

export const { parseScript, parseSettings } = inputReaders<Script, Settings>({
  find: findScript,
  script: scriptChecks,
  settings: settingsChecks,
});
