import { commonFaultKinds, failingOpenings, failingQueries, numberInAmount, scriptIn } from '../kit/scripts.ts';
import type { CommonFault, Faults, ScriptTable } from '../kit/scripts.ts';

/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['create', 'query', 'expire', 'refund', 'refundQuery'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [...commonFaultKinds, 'rate_limited', 'unauthorized'] as const;
type FaultKind = (typeof faultKinds)[number];

/** One way in which the answer to a call fails. */
export type Fault = CommonFault<FaultKind> & {
  /** For `fields`: members to overwrite; null is written as null. */
  set?: Readonly<Record<string, string | number | null>>;
  /** For `refused`. */
  code?: string;
};

export type EventScript = {
  /** `held`: only when the control API says so. */
  timing?: 'now' | 'late' | 'held' | 'never';
  copies?: number;
  signature?: 'good' | 'bad' | 'absent' | 'old';
  /** Events of these types are delayed, so that others arrive before them. */
  lateTypes?: readonly string[];
};

/** Everything about a session that deviates from normal behaviour. An absent member means normal behaviour. */
export type Script = {
  faults?: Faults<Operation, Fault>;
  /** The result, no matter what the payer enters on the page. */
  pay?: 'declined' | 'delayed-succeeds' | 'delayed-fails' | 'delayed-stays' | 'expired';
  /** False: the payer's browser is not sent back. */
  returns?: boolean;
  events?: EventScript;
  /** The gateway charges this many of the smallest unit less. */
  chargeLess?: number;
  riskLevel?: 'elevated';
  /** How a refund ends; with `silent` it stays pending. */
  refunds?: 'pending' | 'fails' | 'silent';
  /** The fee is not yet known when the card is charged. */
  feeUnknown?: boolean;
  /** The currency in which the merchant is paid, if it differs from the payer's. */
  settlesIn?: string;
};

const on = (operation: Operation, ...faults: readonly Fault[]): Script => ({ faults: { [operation]: faults } });
const spoilt = (set: NonNullable<Fault['set']>): Script => on('query', { kind: 'fields', set, executed: true });

/** The scripts by number and name. An amount `1313.NN` picks one by number; the control API also accepts the name. */
export const scriptTable: ScriptTable<Script> = {
  ...failingQueries((fault) => on('query', fault), { few: 'the first 2 queries', all: 'queries' }),
  ...failingOpenings((fault) => on('create', fault), {
    name: 'create',
    one: 'creation',
    all: 'creations',
    done: 'the session was made',
    notDone: 'makes no session',
  }),
  '01': { name: 'approve', about: 'all goes well', script: {} },
  '02': { name: 'decline', about: 'every card is declined', script: { pay: 'declined' } },
  '03': {
    name: 'delayed-succeeds',
    about: 'unpaid at first, paid after delayedAfterMs',
    script: { pay: 'delayed-succeeds' },
  },
  '04': {
    name: 'delayed-fails',
    about: 'unpaid at first, failed after delayedAfterMs',
    script: { pay: 'delayed-fails' },
  },
  '05': { name: 'delayed-stays', about: 'unpaid for ever', script: { pay: 'delayed-stays' } },
  '06': { name: 'expired', about: 'paying comes too late', script: { pay: 'expired' } },
  '10': {
    name: 'silence',
    about: 'charged; no event, no return',
    script: { returns: false, events: { timing: 'never' } },
  },
  '11': { name: 'return-only', about: 'charged; return, no event', script: { events: { timing: 'never' } } },
  '12': { name: 'event-only', about: 'charged; events, no return', script: { returns: false } },
  '13': {
    name: 'event-late',
    about: 'no return; events after lateEventMs',
    script: { returns: false, events: { timing: 'late' } },
  },
  '14': {
    name: 'event-held',
    about: 'no return; events when the control API delivers them',
    script: { returns: false, events: { timing: 'held' } },
  },
  '15': { name: 'event-duplicate', about: 'every event is posted three times', script: { events: { copies: 3 } } },
  '16': {
    name: 'event-disorder',
    about: 'delayed and paid; checkout.session.completed comes after the rest',
    script: { pay: 'delayed-succeeds', events: { lateTypes: ['checkout.session.completed'] } },
  },
  '18': {
    name: 'timeout-after-charge',
    about: 'charged; the first 2 queries hang; no return',
    script: { ...on('query', { kind: 'hang', times: 2 }), returns: false },
  },
  '19': { name: 'timeout-always', about: 'charged; queries always hang', script: on('query', { kind: 'hang' }) },
  '20': { name: 'wrong-amount', about: 'the gateway charges 1.00 less', script: { chargeLess: 100 } },
  '22': { name: 'wrong-currency', about: 'queries say usd', script: spoilt({ currency: 'usd' }) },
  '23': {
    name: 'wrong-reference',
    about: 'queries show another client_reference_id',
    script: spoilt({ client_reference_id: 'SOMEBODY-ELSE' }),
  },
  '24': { name: 'bad-signature', about: 'events are signed wrongly', script: { events: { signature: 'bad' } } },
  '25': { name: 'absent-signature', about: 'events carry no signature', script: { events: { signature: 'absent' } } },
  '26': { name: 'old-signature', about: 'events are signed ten minutes ago', script: { events: { signature: 'old' } } },
  '27': { name: 'risk', about: 'risk_level elevated', script: { riskLevel: 'elevated' } },
  '28': { name: 'unknown-status', about: 'queries say held', script: spoilt({ status: 'held' }) },
  '29': { name: 'fee-unknown', about: 'the charge has no balance transaction', script: { feeUnknown: true } },
  '38': {
    name: 'rate-limited',
    about: 'the first 2 queries answer HTTP 429',
    script: on('query', { kind: 'rate_limited', times: 2 }),
  },
  '39': { name: 'settles-in-usd', about: 'the fee is in usd', script: { settlesIn: 'usd' } },
  '40': { name: 'create-refused', about: 'the session is refused', script: on('create', { kind: 'refused' }) },
  '43': {
    name: 'create-500',
    about: 'the first creation answers HTTP 500, which its key repeats',
    script: on('create', { kind: 'http_500', times: 1 }),
  },
  '52': {
    name: 'query-down',
    about: 'queries always answer HTTP 500, also before the payer has finished',
    script: on('query', { kind: 'http_500', early: true }),
  },
  '54': {
    name: 'create-late',
    about: 'the first creation hangs and is carried out at its end',
    script: on('create', { kind: 'hang', times: 1, executed: 'late' }),
  },
  '55': {
    name: 'expire-timeout',
    about: 'the first expiry hangs after it was carried out',
    script: on('expire', { kind: 'hang', times: 1, executed: true }),
  },
  '56': {
    name: 'expire-500',
    about: 'the first expiry answers HTTP 500',
    script: on('expire', { kind: 'http_500', times: 1 }),
  },
  '60': { name: 'refund-silent', about: 'a refund is accepted and stays pending', script: { refunds: 'silent' } },
  '61': {
    name: 'refund-timeout',
    about: 'the first refund hangs after it was carried out',
    script: on('refund', { kind: 'hang', times: 1, executed: true }),
  },
  '62': {
    name: 'refund-refused',
    about: 'a refund is refused',
    script: on('refund', { kind: 'refused', code: 'charge_disputed' }),
  },
  '63': { name: 'refund-pending', about: 'a refund is pending for pendingRefundMs', script: { refunds: 'pending' } },
  '64': { name: 'refund-failed', about: 'a refund is pending and ends as failed', script: { refunds: 'fails' } },
  '65': {
    name: 'refund-500',
    about: 'the first refund answers HTTP 500, which its key repeats',
    script: on('refund', { kind: 'http_500', times: 1 }),
  },
  '66': {
    name: 'refund-html',
    about: 'the first refund is carried out and answers HTML',
    script: on('refund', { kind: 'html', times: 1, executed: true }),
  },
  '67': {
    name: 'refund-query-500',
    about: 'the first 2 refund queries answer HTTP 500',
    script: on('refundQuery', { kind: 'http_500', times: 2 }),
  },
  '69': {
    name: 'refund-timeout-before',
    about: 'the first refund hangs and does nothing',
    script: on('refund', { kind: 'hang', times: 1 }),
  },
};

/** Finds a row by its number or its name. */
export const findScript = (key: string): Script | undefined => scriptIn(scriptTable, key);

/** Returns the script picked by the session's amount. */
export function scriptOfAmount(amountText: string): Script {
  return findScript(numberInAmount(amountText)) ?? {};
}
