import {
  commonFaultKinds,
  failingOpenings,
  failingQueries,
  numberInAmount,
  numberInPhone,
  scriptIn,
} from '../kit/scripts.ts';
import type { CommonFault, Faults, ScriptTable } from '../kit/scripts.ts';

/** The merchant's calls, each of which can be scripted to fail. */
export const operations = ['initialize', 'complete', 'verify'] as const;
export type Operation = (typeof operations)[number];

export const faultKinds = [...commonFaultKinds, 'bad_signature', 'no_signature', 'garbled'] as const;
type FaultKind = (typeof faultKinds)[number];

/** One way in which the answer to a call fails. */
export type Fault = CommonFault<FaultKind> & {
  /** For `fields`: members of the answer to overwrite. */
  set?: Readonly<Record<string, string>>;
  /** For `refused`: the reason to give. */
  reason?: string;
};

export const endings = ['Success', 'Aborted', 'Cancelled', 'Failed'] as const;
export type Ending = (typeof endings)[number];

/** Everything about an order that deviates from normal behaviour. An absent member means normal behaviour. */
export type Script = {
  faults?: Faults<Operation, Fault>;
  /** The result of the pay button. */
  pay?: Ending;
  /** When the pay button's outcome comes: at once, after lateChargeMs, or never (the order stays in progress). */
  when?: 'now' | 'late' | 'never';
  /** False: the payer's browser is not sent back. */
  returns?: boolean;
  /** The status that the browser brings back, no matter what happened. */
  returnStatus?: 'Success' | 'Aborted' | 'Failed';
  /** Writes amounts as `69` instead of `69.00`. */
  unpadded?: boolean;
  /** Decimal text: the gateway charges this many taka less than the merchant asked for. */
  chargeLess?: string;
  orderTtlMs?: number;
};

const charged: Script = { pay: 'Success' };
const onVerify = (fault: Fault): Script => ({ ...charged, faults: { verify: [fault] } });
const says = (set: Readonly<Record<string, string>>, times?: number): Script =>
  onVerify({ kind: 'fields', set, ...(times === undefined ? {} : { times }) });
const onComplete = (fault: Fault): Script => ({ faults: { complete: [fault] } });
const onInitialize = (fault: Fault): Script => ({ faults: { initialize: [fault] } });

/**
 * The scripts by number and name. An amount `1313.NN` or a payer's wallet `017000000NN` picks one by number; the control API also accepts the name.
 * The amount is known from the complete call on and the wallet from the payment on, so the rows from 80 need the control API.
 */
export const scriptTable: ScriptTable<Script> = {
  ...failingQueries(onVerify, { few: 'the first 2 verifications', all: 'verifications' }),
  ...failingOpenings(onComplete, {
    name: 'complete',
    one: 'completion',
    all: 'completions',
    done: 'it was carried out',
    notDone: 'does nothing',
  }),
  '01': { name: 'approve', about: 'pay is approved', script: charged },
  '02': { name: 'decline', about: 'pay is declined: Failed', script: { pay: 'Failed' } },
  '03': { name: 'abort', about: 'pay ends as Aborted', script: { pay: 'Aborted' } },
  '04': { name: 'cancelled', about: 'pay ends as Cancelled', script: { pay: 'Cancelled' } },
  '06': { name: 'expires-soon', about: 'the order ends 2 s after its completion', script: { orderTtlMs: 2_000 } },
  '10': { name: 'silence', about: 'charged; no return', script: { ...charged, returns: false } },
  '11': {
    name: 'late-charge',
    about: 'in progress, charged after lateChargeMs; no return',
    script: { ...charged, when: 'late', returns: false },
  },
  '12': {
    name: 'stuck',
    about: 'in progress for ever; nothing charged, no return',
    script: { when: 'never', returns: false },
  },
  '18': {
    name: 'timeout-after-charge',
    about: 'charged; the first 2 verifications hang; no return',
    script: { ...onVerify({ kind: 'hang', times: 2 }), returns: false },
  },
  '19': { name: 'timeout-always', about: 'charged; verifications always hang', script: onVerify({ kind: 'hang' }) },
  '20': { name: 'wrong-amount', about: 'the gateway charges 1.00 less', script: { ...charged, chargeLess: '1.00' } },
  '22': {
    name: 'wrong-merchant',
    about: 'verifications name another merchant',
    script: says({ merchantId: '683999999999999' }),
  },
  '23': {
    name: 'wrong-order',
    about: 'verifications name another order',
    script: says({ orderId: 'SOMEBODYELSE' }),
  },
  '24': {
    name: 'no-issuer-reference',
    about: 'verifications say Success without issuerPaymentRefNo',
    script: says({ issuerPaymentRefNo: '' }),
  },
  '25': {
    name: 'wrong-status-code',
    about: 'verifications say Success with statusCode 999',
    script: says({ statusCode: '999' }),
  },
  '26': {
    name: 'return-lies',
    about: 'declined, and the return says Success',
    script: { pay: 'Failed', returnStatus: 'Success' },
  },
  '27': {
    name: 'return-denies',
    about: 'charged, and the return says Failed',
    script: { ...charged, returnStatus: 'Failed' },
  },
  '28': { name: 'unknown-status', about: 'verifications say Held', script: says({ status: 'Held' }) },
  '29': {
    name: 'pending-first',
    about: 'the first 2 verifications say InProgress',
    script: says({ status: 'InProgress', statusCode: '001', issuerPaymentRefNo: '' }, 2),
  },
  '38': {
    name: 'verify-refused',
    about: 'the first 2 verifications are refused',
    script: onVerify({ kind: 'refused', times: 2, reason: 'ServerError' }),
  },
  '40': {
    name: 'complete-refused',
    about: 'the completion is refused',
    script: onComplete({ kind: 'refused', reason: 'InvalidPurchaseInformation' }),
  },
  '47': {
    name: 'complete-huge',
    about: 'the first completion answers 10 MB',
    script: onComplete({ kind: 'huge', times: 1 }),
  },
  '50': { name: 'unpadded', about: 'amounts are written without padding', script: { ...charged, unpadded: true } },
  '54': {
    name: 'foreign-page',
    about: "completions lead to someone else's page",
    script: onComplete({ kind: 'fields', set: { callBackUrl: 'https://mynagad.com.example/check-out/x' } }),
  },
  '80': {
    name: 'initialize-refused',
    about: 'the initialization is refused',
    script: onInitialize({ kind: 'refused', reason: 'InactiveMerchant' }),
  },
  '81': {
    name: 'initialize-timeout',
    about: 'the first initialization hangs after it was carried out',
    script: onInitialize({ kind: 'hang', times: 1, executed: true }),
  },
  '82': {
    name: 'initialize-http-500',
    about: 'the first initialization answers HTTP 500',
    script: onInitialize({ kind: 'http_500', times: 1 }),
  },
  '83': {
    name: 'initialize-bad-signature',
    about: 'initializations are signed wrongly',
    script: onInitialize({ kind: 'bad_signature' }),
  },
  '84': {
    name: 'initialize-no-signature',
    about: 'initializations are not signed',
    script: onInitialize({ kind: 'no_signature' }),
  },
  '85': {
    name: 'initialize-garbled',
    about: 'initializations cannot be decrypted',
    script: onInitialize({ kind: 'garbled' }),
  },
  '86': {
    name: 'initialize-html',
    about: 'the first initialization answers HTML',
    script: onInitialize({ kind: 'html', times: 1 }),
  },
};

/** Finds a row by its number or its name. */
export const findScript = (key: string): Script | undefined => scriptIn(scriptTable, key);

/** Returns the script picked by the amount of a complete call. */
export function scriptOfAmount(amount: string): Script {
  return findScript(numberInAmount(amount)) ?? {};
}

/** Returns the script picked by the payer's wallet. */
export function scriptOfWallet(mobile: string): Script {
  return findScript(numberInPhone(mobile)) ?? {};
}
