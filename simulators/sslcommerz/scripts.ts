import {
  commonFaultKinds,
  failingOpenings,
  failingQueries,
  merged,
  numberInAmount,
  numberInPhone,
  scriptIn,
} from '../kit/scripts.ts';
import type { CommonFault, Faults, ScriptTable } from '../kit/scripts.ts';
import type { SignatureMode } from './signature.ts';

/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['session', 'validation', 'query', 'refund', 'refundQuery'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [...commonFaultKinds] as const;
type FaultKind = (typeof faultKinds)[number];

/** One way in which the answer to a call fails. */
export type Fault = CommonFault<FaultKind> & {
  /** For `fields`: members of the answer (and of each element) to overwrite. */
  set?: Readonly<Record<string, string>>;
  /** For `refused`: the reason to give. */
  reason?: string;
};

export type PayOutcome = 'VALID' | 'FAILED' | 'CANCELLED' | 'UNATTEMPTED' | 'EXPIRED';

export type NoticeScript = {
  /**
   * When the IPN is sent: `before` or `after` the page that sends the browser back, `late` after a delay, `held` until the control API sends it, or
   * `never`.
   */
  timing: 'before' | 'after' | 'late' | 'held' | 'never';
  copies: number;
  signature: SignatureMode;
  /** For `late`; absent means the configured default. */
  delayMs?: number;
  /** Fields to overwrite before signing, in the notice only. The gateway's own record stays correct. */
  set?: Readonly<Record<string, string>>;
};

/** Everything about a session that deviates from normal behaviour. An absent member means normal behaviour. */
export type Script = {
  faults?: Faults<Operation, Fault>;
  /** The result of the pay button. */
  pay?: PayOutcome;
  /** Text of the field `error` if `pay` is not VALID. */
  error?: string;
  /** False: the payer's browser is not sent back. */
  returns?: boolean;
  notice?: Partial<NoticeScript>;
  risk?: '0' | '1';
  /** Writes amounts as `69` instead of `69.00`. */
  unpadded?: boolean;
  subscriptionId?: boolean;
  /** Decimal text: the gateway charges this many taka less than the merchant asked for. */
  chargeLess?: string;
  refund?: 'refunded' | 'cancelled' | 'failed';
  /** Time from acceptance to the end of a refund. `long` is the configured longRefundMs; with `never` the refund stays processing. */
  refundAfterMs?: number | 'long' | 'never';
  sessionTtlMs?: number;
};

const charged: Script = { pay: 'VALID' };
const onQueries = (fault: Fault): Script => ({ ...charged, faults: { validation: [fault], query: [fault] } });
const answerFields = (set: Readonly<Record<string, string>>, times?: number): Script =>
  onQueries({ kind: 'fields', set, ...(times === undefined ? {} : { times }) });
const onSession = (fault: Fault): Script => ({ faults: { session: [fault] } });
const onRefund = (fault: Fault): Script => ({ ...charged, faults: { refund: [fault] } });

/**
 * The scripts by number and name. An amount `1313.NN` or a payer's phone `017000000NN` picks one by number; the control API also accepts the name.
 */
export const scriptTable: ScriptTable<Script> = {
  ...failingQueries(onQueries, {
    few: 'the first 2 validations and queries',
    all: 'validation and queries',
  }),
  ...failingOpenings(onSession, {
    name: 'session',
    one: 'session call',
    all: 'session calls',
    done: 'the session was made',
    notDone: 'makes no session',
  }),
  '01': { name: 'approve', about: 'pay is approved', script: charged },
  '02': { name: 'decline', about: 'pay is declined', script: { pay: 'FAILED', error: 'Insufficient balance' } },
  '03': { name: 'cancel', about: 'pay ends as cancelled', script: { pay: 'CANCELLED' } },
  '04': { name: 'unattempted', about: 'pay ends as UNATTEMPTED', script: { pay: 'UNATTEMPTED' } },
  '05': { name: 'expired', about: 'pay ends as EXPIRED', script: { pay: 'EXPIRED' } },
  '06': { name: 'expires-soon', about: 'the session ends 2 s after it was made', script: { sessionTtlMs: 2_000 } },
  '10': {
    name: 'silence',
    about: 'charged; no IPN, no return',
    script: { ...charged, returns: false, notice: { timing: 'never' } },
  },
  '11': { name: 'return-only', about: 'charged; return, no IPN', script: { ...charged, notice: { timing: 'never' } } },
  '12': { name: 'ipn-only', about: 'charged; IPN, no return', script: { ...charged, returns: false } },
  '13': {
    name: 'ipn-before-return',
    about: 'IPN answered before the browser is sent back',
    script: { ...charged, notice: { timing: 'before' } },
  },
  '14': {
    name: 'ipn-after-return',
    about: 'IPN shortly after the browser was sent back',
    script: { ...charged, notice: { timing: 'after' } },
  },
  '15': {
    name: 'ipn-late',
    about: 'no return; IPN after lateNoticeMs',
    script: { ...charged, returns: false, notice: { timing: 'late' } },
  },
  '16': {
    name: 'ipn-held',
    about: 'no return; IPN when the control API delivers it',
    script: { ...charged, returns: false, notice: { timing: 'held' } },
  },
  '17': { name: 'ipn-duplicate', about: 'the IPN is sent three times', script: { ...charged, notice: { copies: 3 } } },
  '18': {
    name: 'timeout-after-charge',
    about: 'charged; the first 2 validations and queries hang; no return',
    script: { ...onQueries({ kind: 'hang', times: 2 }), returns: false },
  },
  '19': {
    name: 'timeout-always',
    about: 'charged; validation and queries always hang',
    script: onQueries({ kind: 'hang' }),
  },
  '20': { name: 'wrong-amount', about: 'the gateway charges 1.00 less', script: { ...charged, chargeLess: '1.00' } },
  '21': {
    name: 'ipn-wrong-amount',
    about: 'only the IPN (well signed) shows another amount',
    script: { ...charged, notice: { set: { amount: '1.00', currency_amount: '1.00' } } },
  },
  '22': {
    name: 'wrong-currency',
    about: 'validation and queries say USD',
    script: answerFields({ currency: 'USD', currency_type: 'USD' }),
  },
  '23': {
    name: 'wrong-reference',
    about: 'validation and queries show another tran_id',
    script: answerFields({ tran_id: 'SOMEBODY-ELSE' }),
  },
  '24': {
    name: 'bad-signature',
    about: 'IPN and return are signed wrongly',
    script: { ...charged, notice: { signature: 'bad' } },
  },
  '25': {
    name: 'absent-signature',
    about: 'IPN and return carry no signature',
    script: { ...charged, notice: { signature: 'absent' } },
  },
  '26': {
    name: 'md5-only',
    about: 'IPN and return carry the md5 signature only',
    script: { ...charged, notice: { signature: 'md5_only' } },
  },
  '27': { name: 'risk', about: 'risk_level 1', script: { ...charged, risk: '1' } },
  '28': { name: 'unknown-status', about: 'validation and queries say HELD', script: answerFields({ status: 'HELD' }) },
  '29': {
    name: 'pending-first',
    about: 'the first 2 validations and queries say PENDING',
    script: answerFields({ status: 'PENDING' }, 2),
  },
  '38': {
    name: 'api-inactive',
    about: 'the first 2 validations and queries say APIConnect INACTIVE',
    script: answerFields({ APIConnect: 'INACTIVE' }, 2),
  },
  '39': {
    name: 'ipn-unknown-status',
    about: 'only the IPN (well signed) has the status HELD',
    script: { ...charged, notice: { set: { status: 'HELD' } } },
  },
  '40': {
    name: 'session-failed',
    about: 'session FAILED',
    script: onSession({ kind: 'refused', reason: 'Store is not allowed to take this payment' }),
  },
  '47': {
    name: 'session-huge',
    about: 'the first session call answers 10 MB',
    script: onSession({ kind: 'huge', times: 1, executed: true }),
  },
  '50': { name: 'unpadded', about: 'amounts are written without padding', script: { ...charged, unpadded: true } },
  '51': {
    name: 'subscription-id',
    about: 'IPN and return carry an unsigned subscription_id',
    script: { ...charged, subscriptionId: true },
  },
  '52': {
    name: 'query-down',
    about: 'queries always answer HTTP 500, also before an outcome',
    script: { faults: { query: [{ kind: 'http_500', early: true }] } },
  },
  '60': {
    name: 'refund-silent',
    about: 'a refund is accepted and stays processing',
    script: { ...charged, refundAfterMs: 'never' },
  },
  '61': {
    name: 'refund-timeout',
    about: 'the first refund call hangs after it was accepted',
    script: onRefund({ kind: 'hang', times: 1, executed: true }),
  },
  '62': {
    name: 'refund-refused',
    about: 'a refund is refused',
    script: onRefund({ kind: 'refused', reason: 'Refund is not permitted' }),
  },
  '63': {
    name: 'refund-long',
    about: 'a refund is processing for longRefundMs',
    script: { ...charged, refundAfterMs: 'long' },
  },
  '64': {
    name: 'refund-cancelled',
    about: 'a refund is accepted and ends as cancelled',
    script: { ...charged, refund: 'cancelled' },
  },
  '65': {
    name: 'refund-http-500',
    about: 'the first 2 refund calls answer HTTP 500 and do nothing',
    script: onRefund({ kind: 'http_500', times: 2 }),
  },
  '66': {
    name: 'refund-html',
    about: 'the first refund call answers HTML after it was accepted',
    script: onRefund({ kind: 'html', times: 1, executed: true }),
  },
  '67': {
    name: 'refund-query-500',
    about: 'the first 2 refund queries answer HTTP 500',
    script: { ...charged, faults: { refundQuery: [{ kind: 'http_500', times: 2 }] } },
  },
  '68': {
    name: 'refund-address',
    about: 'a refund is refused for the caller’s address',
    script: onRefund({ kind: 'refused', reason: 'Your IP is not registered' }),
  },
  '69': {
    name: 'refund-timeout-before',
    about: 'the first refund call hangs and does nothing',
    script: onRefund({ kind: 'hang', times: 1 }),
  },
  '70': {
    name: 'refund-failed',
    about: 'a refund is accepted and ends as failed',
    script: { ...charged, refund: 'failed' },
  },
};

/** Finds a row by its number or its name. */
export const findScript = (key: string): Script | undefined => scriptIn(scriptTable, key);

/** Returns the script picked by the amount, else by the payer's phone. */
export function scriptOfRequest({ total, phone }: { total: string | undefined; phone: string | undefined }): Script {
  return findScript(numberInAmount(total)) ?? findScript(numberInPhone(phone)) ?? {};
}

/** Merges two scripts. The later one wins for each member; faults are merged by operation and notices by member. */
export function mergeScripts(earlier: Script, later: Script): Script {
  return {
    ...merged(earlier, later),
    ...(earlier.notice || later.notice ? { notice: { ...earlier.notice, ...later.notice } } : {}),
  };
}
