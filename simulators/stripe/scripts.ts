/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['create', 'query', 'expire', 'refund', 'refundQuery'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [
  'http_500',
  'rate_limited',
  'unauthorized',
  'html',
  'empty',
  'truncated',
  'huge',
  'hang',
  'slow',
  'reset',
  'refused',
  'fields',
] as const;
type FaultKind = (typeof faultKinds)[number];

/** One way in which the answer to a call fails. */
export type Fault = {
  kind: FaultKind;
  /** How many calls are affected, from the first one on; absent means every call. */
  times?: number;
  /** True: the gateway performs the operation, and only the answer is lost or altered. `late`: it performs the operation when the call ends. */
  executed?: boolean | 'late';
  /** True: queries also fail before the payer has finished. Otherwise they fail only after that. */
  early?: boolean;
  /** For `slow`; absent means the configured default. */
  delayMs?: number;
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
  faults?: Readonly<Partial<Record<Operation, readonly Fault[]>>>;
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

type Row = { name: string; about: string; script: Script };

const on = (operation: Operation, ...faults: readonly Fault[]): Script => ({ faults: { [operation]: faults } });
const spoilt = (set: NonNullable<Fault['set']>): Script => on('query', { kind: 'fields', set, executed: true });

/** The scripts by number and name. An amount `1313.NN` picks one by number; the control API also accepts the name. */
export const scriptTable: Readonly<Record<string, Row>> = {
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
    about: 'no return; events when the control plane delivers them',
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
  '30': {
    name: 'http-500',
    about: 'the first 2 queries answer HTTP 500',
    script: on('query', { kind: 'http_500', times: 2 }),
  },
  '31': { name: 'http-500-always', about: 'queries always answer HTTP 500', script: on('query', { kind: 'http_500' }) },
  '32': {
    name: 'garbage-html',
    about: 'the first 2 queries answer HTML',
    script: on('query', { kind: 'html', times: 2 }),
  },
  '33': {
    name: 'garbage-empty',
    about: 'the first 2 queries answer nothing',
    script: on('query', { kind: 'empty', times: 2 }),
  },
  '34': {
    name: 'garbage-truncated',
    about: 'the first 2 queries answer half a JSON',
    script: on('query', { kind: 'truncated', times: 2 }),
  },
  '35': {
    name: 'garbage-huge',
    about: 'the first 2 queries answer 10 MB',
    script: on('query', { kind: 'huge', times: 2 }),
  },
  '36': { name: 'slow', about: 'queries answer after slowMs', script: on('query', { kind: 'slow' }) },
  '37': {
    name: 'reset',
    about: 'the first 2 queries lose the connection',
    script: on('query', { kind: 'reset', times: 2 }),
  },
  '38': {
    name: 'rate-limited',
    about: 'the first 2 queries answer HTTP 429',
    script: on('query', { kind: 'rate_limited', times: 2 }),
  },
  '39': { name: 'settles-in-usd', about: 'the fee is in usd', script: { settlesIn: 'usd' } },
  '40': { name: 'create-refused', about: 'the session is refused', script: on('create', { kind: 'refused' }) },
  '41': {
    name: 'create-timeout',
    about: 'the first creation hangs after the session was made',
    script: on('create', { kind: 'hang', times: 1, executed: true }),
  },
  '42': { name: 'create-timeout-always', about: 'creations always hang', script: on('create', { kind: 'hang' }) },
  '43': {
    name: 'create-500',
    about: 'the first creation answers HTTP 500, which its key repeats',
    script: on('create', { kind: 'http_500', times: 1 }),
  },
  '44': {
    name: 'create-html',
    about: 'the first creation answers HTML',
    script: on('create', { kind: 'html', times: 1 }),
  },
  '46': {
    name: 'create-truncated',
    about: 'the first creation answers half a JSON',
    script: on('create', { kind: 'truncated', times: 1, executed: true }),
  },
  '48': { name: 'create-slow', about: 'creations answer after slowMs', script: on('create', { kind: 'slow' }) },
  '49': {
    name: 'create-500-always',
    about: 'creations always answer HTTP 500',
    script: on('create', { kind: 'http_500' }),
  },
  '52': {
    name: 'query-down',
    about: 'queries always answer HTTP 500, also before the payer has finished',
    script: on('query', { kind: 'http_500', early: true }),
  },
  '53': {
    name: 'create-timeout-before',
    about: 'the first creation hangs and makes no session',
    script: on('create', { kind: 'hang', times: 1 }),
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
    about: 'the first 2 questions about a refund answer HTTP 500',
    script: on('refundQuery', { kind: 'http_500', times: 2 }),
  },
  '69': {
    name: 'refund-timeout-before',
    about: 'the first refund hangs and does nothing',
    script: on('refund', { kind: 'hang', times: 1 }),
  },
};

/** Finds a row by its number or its name. */
export function findScript(key: string): Script | undefined {
  const row = Object.hasOwn(scriptTable, key)
    ? scriptTable[key]
    : Object.values(scriptTable).find(({ name }) => name === key);
  return row?.script;
}

/** Returns the script picked by the session's amount. */
export function scriptOfAmount(amountText: string): Script {
  return findScript(/^1313\.(\d{2})$/.exec(amountText)?.[1] ?? '') ?? {};
}

/** Merges two scripts. The later one wins for each member, and faults are merged by operation. */
export function mergeScripts(earlier: Script, later: Script): Script {
  return {
    ...earlier,
    ...later,
    ...(earlier.faults || later.faults ? { faults: { ...earlier.faults, ...later.faults } } : {}),
  };
}
