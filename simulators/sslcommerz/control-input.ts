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
import { faultKinds, findScript, operations } from './scripts.ts';
import type { Script } from './scripts.ts';
import type { Settings } from './settings.ts';

const milliseconds = wholeUpTo(2 ** 31 - 1);

const positive: Check = (value) => milliseconds(value) && value !== 0;
const scriptChecks: Record<keyof Script, Check> = {
  faults: faultsOf(operations, { kinds: faultKinds, whole: milliseconds, own: { set: textMembers, reason: text } }),
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
  chargeLess: taka,
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
  payouts: payoutChanges,
  script: membersOf(scriptChecks),
};

export const { parseScript, parseSettings } = inputReaders<Script, Settings>({
  find: findScript,
  script: scriptChecks,
  settings: settingsChecks,
});
