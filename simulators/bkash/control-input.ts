import {
  answerMembers,
  faultsOf,
  flag,
  inputReaders,
  membersOf,
  oneOf,
  taka,
  wholeUpTo,
} from '../kit/member-checks.ts';
import type { Check } from '../kit/member-checks.ts';
import { payoutChanges } from '../kit/payouts/settings.ts';
import { codeTexts } from './codes.ts';
import { faultKinds, findScript, operations } from './scripts.ts';
import type { Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(400 * 24 * 3_600_000);
const code = oneOf(...Object.keys(codeTexts));

const scriptChecks: Record<keyof Script, Check> = {
  faults: faultsOf(operations, { kinds: faultKinds, whole: milliseconds, own: { set: answerMembers, code } }),
  confirm: oneOf('success', 'failure', 'cancel', 'expired', 'nothing'),
  returns: flag,
  declinedBy: code,
  chargeLess: taka,
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
  payouts: payoutChanges,
  script: membersOf(scriptChecks),
};

export const { parseScript, parseSettings } = inputReaders<Script, Settings>({
  find: findScript,
  script: scriptChecks,
  settings: settingsChecks,
});
