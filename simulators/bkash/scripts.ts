import {
  commonFaultKinds,
  failingOpenings,
  failingQueries,
  numberInAmount,
  numberInPhone,
  scriptIn,
} from '../kit/scripts.ts';
import type { CommonFault, Faults, ScriptTable } from '../kit/scripts.ts';
import type { Code } from './codes.ts';

/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['create', 'execute', 'query', 'search', 'refund', 'refundStatus'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [...commonFaultKinds, 'unauthorized', 'message'] as const;
type FaultKind = (typeof faultKinds)[number];

/** One way in which the answer to a call fails. */
export type Fault = CommonFault<FaultKind> & {
  /** For `fields`: members to overwrite; null removes a member. */
  set?: Readonly<Record<string, string | number | null>>;
  /** For `refused`. */
  code?: Code;
};

/** Everything about a payment that deviates from normal behaviour. An absent member means normal behaviour. */
export type Script = {
  faults?: Faults<Operation, Fault>;
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

const on = (operation: Operation, ...faults: readonly Fault[]): Script => ({ faults: { [operation]: faults } });
const spoilt = (set: NonNullable<Fault['set']>, times?: number): Script => {
  const fault: Fault = { kind: 'fields', set, executed: true, ...(times === undefined ? {} : { times }) };
  return { faults: { query: [fault], execute: [fault] } };
};

/**
 * The scripts by number and name. An amount `1313.NN` or a payer's reference `017000000NN` picks one by number; the control API also accepts the
 * name.
 */
export const scriptTable: ScriptTable<Script> = {
  ...failingQueries((fault) => on('query', fault), { few: 'the first 2 queries', all: 'queries' }),
  ...failingOpenings((fault) => on('create', fault), {
    name: 'create',
    one: 'creation',
    all: 'creations',
    done: 'the payment was made',
    notDone: 'makes no payment',
  }),
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
  '47': {
    name: 'create-maintenance',
    about: 'the first creation answers 503',
    script: on('create', { kind: 'refused', code: '503', times: 1 }),
  },
  '50': { name: 'unpadded', about: 'amounts are written without padding', script: { amounts: 'unpadded' } },
  '51': { name: 'numbers', about: 'amounts are JSON numbers', script: { amounts: 'numbers' } },
  '52': {
    name: 'query-down',
    about: 'queries always answer HTTP 500, also before the payer has finished',
    script: on('query', { kind: 'http_500', early: true }),
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
    about: 'the first 2 refund queries answer HTTP 500',
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
export const findScript = (key: string): Script | undefined => scriptIn(scriptTable, key);

/** Payers of ShadhinPay's sandbox with the outcomes that its documentation gives. The payment of `01770618575` succeeds. */
const sandboxPayers: Readonly<Record<string, string>> = {
  '01770618576': 'decline',
  '01770618577': 'no-answer',
  '01770618578': 'names-its-end',
};

/** Returns the script picked by the amount, else by the payer's reference. */
export function scriptOfRequest({ amount, payer }: { amount: string; payer: string }): Script {
  const sandboxed = sandboxPayers[payer.replace(/^\+?88(?=01)/, '')] ?? '';
  return findScript(numberInAmount(amount)) ?? findScript(numberInPhone(payer)) ?? findScript(sandboxed) ?? {};
}
