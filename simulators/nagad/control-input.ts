import {
  faultsOf,
  flag,
  inputReaders,
  listOf,
  membersOf,
  oneOf,
  taka,
  text,
  textMembers,
  wholeUpTo,
} from '../kit/member-checks.ts';
import type { Check } from '../kit/member-checks.ts';
import { payoutChanges } from '../kit/payouts/settings.ts';
import { endings, faultKinds, findScript, operations } from './scripts.ts';
import type { Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(2 ** 31 - 1);

const scriptChecks: Record<keyof Script, Check> = {
  faults: faultsOf(operations, { kinds: faultKinds, whole: milliseconds, own: { set: textMembers, reason: text } }),
  pay: oneOf(...endings),
  when: oneOf('now', 'late', 'never'),
  returns: flag,
  returnStatus: oneOf('Success', 'Aborted', 'Failed'),
  unpadded: flag,
  chargeLess: taka,
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
  payouts: payoutChanges,
  script: membersOf(scriptChecks),
};

export const { parseScript, parseSettings } = inputReaders<Script, Settings>({
  find: findScript,
  script: scriptChecks,
  settings: settingsChecks,
});
