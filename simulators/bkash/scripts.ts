import type { Code } from './codes.ts';

/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['create', 'execute', 'query', 'search', 'refund', 'refundStatus'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [
  'http_500',
  'unauthorized',
  'message',
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
  /** For `fields`: members to overwrite; null removes a member. */
  set?: Readonly<Record<string, string | number | null>>;
  /** For `refused`. */
  code?: Code;
};

/** Everything about a payment that deviates from normal behaviour. An absent member means normal behaviour. */
export type Script = {
  faults?: Readonly<Partial<Record<Operation, readonly Fault[]>>>;
  /** The result of confirming on the page. */
  confirm?: 'success' | 'failure' | 'cancel' | 'expired' | 'nothing';
  /** False: the payer's browser is not sent back. */
  returns?: boolean;
  /** The execution ends the payment as failed with this code. */
  declinedBy?: Code;
  /** Decimal text: the gateway takes this many taka less than the merchant asked for. */
  chargeLess?: string;
  /** Writes amounts as `69`, or as JSON numbers. */
  amounts?: 'unpadded' | 'numbers';
  endedStatus?: 'named';
  paymentTtlMs?: number;
  refundWindowMs?: number;
};

type Row = { name: string; about: string; script: Script };

const on = (operation: Operation, ...faults: readonly Fault[]): Script => ({ faults: { [operation]: faults } });
const spoilt = (set: NonNullable<Fault['set']>, times?: number): Script => {
  const fault: Fault = { kind: 'fields', set, executed: true, ...(times === undefined ? {} : { times }) };
  return { faults: { query: [fault], execute: [fault] } };
};

/**
 * The scripts by number and name. An amount `1313.NN` or a payer's reference `017000000NN` picks one by number; the control API also accepts the
 * name.
 */
export const scriptTable: Readonly<Record<string, Row>> = {
  '01': { name: 'approve', about: 'all goes well', script: {} },
  '02': { name: 'decline', about: 'the execution fails: 2023', script: { declinedBy: '2023' } },
  '03': { name: 'cancel', about: 'confirming ends as cancelled', script: { confirm: 'cancel' } },
  '04': { name: 'page-failure', about: 'confirming ends as failed', script: { confirm: 'failure' } },
  '05': { name: 'expired', about: 'confirming comes too late', script: { confirm: 'expired' } },
  '06': { name: 'expires-soon', about: 'the payment dies 2 s after it was made', script: { paymentTtlMs: 2_000 } },
  '07': {
    name: 'names-its-end',
    about: 'confirming ends as cancelled, and queries say so',
    script: { confirm: 'cancel', endedStatus: 'named' },
  },
  '08': {
    name: 'no-answer',
    about: 'confirming is never answered: the payment stays as it was',
    script: { confirm: 'nothing' },
  },
  '10': { name: 'silence', about: 'the payer agrees and is not sent back', script: { returns: false } },
  '18': {
    name: 'execute-timeout',
    about: 'the first execution hangs after it was carried out',
    script: on('execute', { kind: 'hang', times: 1, executed: true }),
  },
  '19': {
    name: 'execute-late',
    about: 'the first execution hangs and is carried out at its end',
    script: on('execute', { kind: 'hang', times: 1, executed: 'late' }),
  },
  '20': { name: 'wrong-amount', about: 'the gateway takes 1.00 less', script: { chargeLess: '1.00' } },
  '21': {
    name: 'execute-timeout-before',
    about: 'the first execution hangs and does nothing',
    script: on('execute', { kind: 'hang', times: 1 }),
  },
  '22': { name: 'wrong-currency', about: 'execution and queries say USD', script: spoilt({ currency: 'USD' }) },
  '23': {
    name: 'wrong-reference',
    about: 'execution and queries show another invoice number',
    script: spoilt({ merchantInvoice: 'SOMEBODY-ELSE', merchantInvoiceNumber: 'SOMEBODY-ELSE' }),
  },
  '24': {
    name: 'execute-reset',
    about: 'the first execution is carried out and its connection lost',
    script: on('execute', { kind: 'reset', times: 1, executed: true }),
  },
  '25': {
    name: 'execute-html',
    about: 'the first execution is carried out and answers HTML',
    script: on('execute', { kind: 'html', times: 1, executed: true }),
  },
  '26': {
    name: 'execute-500',
    about: 'the first 2 executions answer HTTP 500 and do nothing',
    script: on('execute', { kind: 'http_500', times: 2 }),
  },
  '27': {
    name: 'execute-maintenance',
    about: 'the first execution answers 503 and does nothing',
    script: on('execute', { kind: 'refused', code: '503', times: 1 }),
  },
  '28': {
    name: 'unknown-status',
    about: 'queries say HELD',
    script: on('query', { kind: 'fields', set: { transactionStatus: 'HELD' }, executed: true }),
  },
  '29': {
    name: 'query-lags',
    about: 'the first 3 queries after the payer agreed know nothing of an execution',
    script: on('query', {
      kind: 'fields',
      set: { transactionStatus: 'Initiated', trxID: null, paymentExecuteTime: null },
      executed: true,
      times: 3,
    }),
  },
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
    name: 'token-refused',
    about: 'the first query answers HTTP 401',
    script: on('query', { kind: 'unauthorized', times: 1 }),
  },
  '39': {
    name: 'duplicate',
    about: 'executions answer 2029 and do nothing',
    script: on('execute', { kind: 'refused', code: '2029' }),
  },
  '40': {
    name: 'create-refused',
    about: 'the payment is refused: 2064',
    script: on('create', { kind: 'refused', code: '2064' }),
  },
  '41': {
    name: 'create-timeout',
    about: 'the first creation hangs after the payment was made',
    script: on('create', { kind: 'hang', times: 1, executed: true }),
  },
  '42': { name: 'create-timeout-always', about: 'creations always hang', script: on('create', { kind: 'hang' }) },
  '43': {
    name: 'create-500',
    about: 'the first creation answers HTTP 500',
    script: on('create', { kind: 'http_500', times: 1 }),
  },
  '44': {
    name: 'create-html',
    about: 'the first creation answers HTML',
    script: on('create', { kind: 'html', times: 1 }),
  },
  '45': {
    name: 'create-empty',
    about: 'the first creation answers nothing',
    script: on('create', { kind: 'empty', times: 1 }),
  },
  '46': {
    name: 'create-truncated',
    about: 'the first creation answers half a JSON',
    script: on('create', { kind: 'truncated', times: 1, executed: true }),
  },
  '47': {
    name: 'create-maintenance',
    about: 'the first creation answers 503',
    script: on('create', { kind: 'refused', code: '503', times: 1 }),
  },
  '48': { name: 'create-slow', about: 'creations answer after slowMs', script: on('create', { kind: 'slow' }) },
  '49': {
    name: 'create-500-always',
    about: 'creations always answer HTTP 500',
    script: on('create', { kind: 'http_500' }),
  },
  '50': { name: 'unpadded', about: 'amounts are written without padding', script: { amounts: 'unpadded' } },
  '51': { name: 'numbers', about: 'amounts are JSON numbers', script: { amounts: 'numbers' } },
  '52': {
    name: 'query-down',
    about: 'queries always answer HTTP 500, also before the payer has finished',
    script: on('query', { kind: 'http_500', early: true }),
  },
  '53': {
    name: 'create-timeout-before',
    about: 'the first creation hangs and makes no payment',
    script: on('create', { kind: 'hang', times: 1 }),
  },
  '55': {
    name: 'execute-message',
    about: 'the first execution is carried out and answers only a message',
    script: on('execute', { kind: 'message', times: 1, executed: true }),
  },
  '56': {
    name: 'execute-state',
    about: 'executions answer 2056 and do nothing',
    script: on('execute', { kind: 'refused', code: '2056' }),
  },
  '61': {
    name: 'refund-timeout',
    about: 'the first refund hangs after it was carried out',
    script: on('refund', { kind: 'hang', times: 1, executed: true }),
  },
  '62': {
    name: 'refund-refused',
    about: 'a refund is refused: 2074',
    script: on('refund', { kind: 'refused', code: '2074' }),
  },
  '65': {
    name: 'refund-500',
    about: 'the first 2 refunds answer HTTP 500 and do nothing',
    script: on('refund', { kind: 'http_500', times: 2 }),
  },
  '66': {
    name: 'refund-html',
    about: 'the first refund is carried out and answers HTML',
    script: on('refund', { kind: 'html', times: 1, executed: true }),
  },
  '67': {
    name: 'refund-status-500',
    about: 'the first 2 questions about a refund answer HTTP 500',
    script: on('refundStatus', { kind: 'http_500', times: 2 }),
  },
  '69': {
    name: 'refund-timeout-before',
    about: 'the first refund hangs and does nothing',
    script: on('refund', { kind: 'hang', times: 1 }),
  },
  '71': { name: 'refund-window', about: 'a refund comes too late: 2071', script: { refundWindowMs: 0 } },
};

/** Finds a row by its number or its name. */
export function findScript(key: string): Script | undefined {
  const row = Object.hasOwn(scriptTable, key)
    ? scriptTable[key]
    : Object.values(scriptTable).find((row) => row.name === key);
  return row?.script;
}

/** Payers of ShadhinPay's sandbox with the outcomes that its documentation gives. The payment of `01770618575` succeeds. */
const sandboxPayers: Readonly<Record<string, string>> = {
  '01770618576': 'decline',
  '01770618577': 'no-answer',
  '01770618578': 'names-its-end',
};

/** Returns the script picked by the amount, else by the payer's reference. */
export function scriptOfRequest({ amount, payer }: { amount: string; payer: string }): Script {
  const byAmount = /^1313\.(\d{2})$/.exec(amount)?.[1];
  const number = payer.replace(/^\+?88(?=01)/, '');
  const byPayer = /^017000000(\d{2})$/.exec(number)?.[1] ?? sandboxPayers[number];
  return findScript(byAmount ?? '') ?? findScript(byPayer ?? '') ?? {};
}

/** Merges two scripts. The later one wins for each member, and faults are merged by operation. */
export function mergeScripts(earlier: Script, later: Script): Script {
  return {
    ...earlier,
    ...later,
    ...(earlier.faults || later.faults ? { faults: { ...earlier.faults, ...later.faults } } : {}),
  };
}
