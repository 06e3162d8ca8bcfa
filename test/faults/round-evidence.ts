import type { Bill } from '../../proofs/faults/bill-plan.ts';
import type { Delivery, Evidence, InvoiceDelivery } from '../../proofs/faults/evidence.ts';
import type { Answer } from '../../proofs/faults/journal.ts';
import type { Errand } from '../../proofs/faults/plan.ts';

export const PAID: Errand = {
  mark: '1-0-0',
  app: 0,
  startMs: 0,
  amountMinor: 12_345,
  script: null,
  gateways: null,
  visits: [],
  contract: 'native',
  act: 'pay',
  firstApi: 0,
  repeat: null,
  forgery: null,
  refund: null,
  late: 'refund',
  manual: 'confirmed',
  bill: null,
};
export const LEFT: Errand = { ...PAID, mark: '1-0-1', app: 1, amountMinor: 5_000, act: 'leave-the-gateway' };
/** Paid and refunded in full: one part by the application; the rest, which is above the threshold, by two operators. */
export const RETURNED: Errand = { ...PAID, mark: '1-0-2', amountMinor: 30_000, refund: 'mixed' };
/** Cancelled and then paid. Two operators let the application keep the money. */
export const LATE: Errand = { ...PAID, mark: '1-0-3', amountMinor: 40_000, act: 'cancel-then-pay', late: 'keep' };

/** Created through the OwnPay API, and declined. */
export const INTENDED: Errand = { ...PAID, mark: '1-0-4', gateways: ['stripe'], contract: 'ownpay', act: 'fail' };

/** A manual payment that two operators confirmed. */
export const BY_HAND: Errand = {
  ...PAID,
  mark: '1-0-5',
  amountMinor: 16_000,
  gateways: ['manual'],
  visits: ['manual'],
};

const THRESHOLD = 15_000;
const LATE_ID = 70;

const view = (errand: Errand, status: string) => ({
  id: Number(errand.mark.at(-1)) + 1,
  reference: `pay_${errand.mark.replaceAll('-', '')}`,
  status,
  applicationId: errand.app + 1,
  amountMinor: errand.amountMinor,
  checkoutUrl: 'http://127.0.0.1/checkout/x',
  redirectUrl: null,
  gatewayTxnId: null,
  review: null,
});

export function answered(errand: Errand, kind: Answer['kind'], { status, at }: { status: string; at: number }): Answer {
  const data = view(errand, status);
  return {
    mark: errand.mark,
    app: errand.app,
    kind,
    api: 0,
    sentAtMs: at,
    answeredAtMs: at + 1,
    status: kind === 'create' || kind === 'repeat' ? 201 : 200,
    replayed: false,
    text: JSON.stringify({ data: kind === 'list' ? [data] : data }),
  };
}

/** The application's refund. `BY_OPERATORS` is the operators'. */
export const BY_APP = {
  id: 50,
  paymentId: view(RETURNED, '').id,
  amountMinor: 10_000,
  reason: `${RETURNED.mark}-r0`,
  status: 'SUCCEEDED',
  gatewayRefundId: 'G50',
  failureCode: null,
  review: null,
  createdBy: 'app',
  approvedBy: null,
};
export const BY_OPERATORS = {
  ...BY_APP,
  id: 51,
  amountMinor: 20_000,
  reason: `${RETURNED.mark}-o`,
  gatewayRefundId: 'G51',
  createdBy: 'operator:7',
  approvedBy: 'operator:8',
};
type Refund = Omit<typeof BY_APP, 'failureCode' | 'review' | 'approvedBy' | 'gatewayRefundId'> & {
  failureCode: string | null;
  review: { reason: string } | null;
  approvedBy: string | null;
  gatewayRefundId: string | null;
};

export const refundList = (refunds: readonly Refund[], at: number): Answer => ({
  ...answered(RETURNED, 'refund-list', { status: '', at }),
  text: JSON.stringify({ data: refunds }),
});

/** Returns an answer about one refund, to the application or to an operator. */
export function refundAnswered(
  kind: Answer['kind'],
  refund: Refund,
  about: Partial<Pick<Answer, 'status' | 'sentAtMs' | 'replayed' | 'desk'>> = {},
): Answer {
  return {
    ...answered(RETURNED, kind, { status: '', at: 11 }),
    status: 201,
    refund: refund.reason,
    ...about,
    text: JSON.stringify({ data: refund }),
  };
}

const deskOf = (operatorId: number, subjectId: number | null) => ({ operatorId, subjectId, atMs: 900 });

export const lateWord = (operatorId: number): Answer => ({
  ...answered(LATE, 'late-keep', { status: '', at: 12 }),
  desk: deskOf(operatorId, LATE_ID),
  text: JSON.stringify({ data: { id: LATE_ID, status: 'KEPT' } }),
});

export const TRANSACTION = 'TX-1 0 5';
const SUBMISSION = {
  id: 80,
  status: 'CONFIRMED',
  amountMinor: BY_HAND.amountMinor,
  storeId: 'account TEST',
  code: `tran${BY_HAND.mark}`,
  transaction: TRANSACTION,
};
type Submission = typeof SUBMISSION;

/** The payer's submission, which the page accepted. */
export const written: Answer = { ...answered(BY_HAND, 'submission', { status: '', at: 5 }), text: TRANSACTION };

/** Returns an operator's decision about the submission, with the submission's status at that time. */
export const handWord = (word: 'confirm' | 'reject', operatorId: number, status: string): Answer => ({
  ...answered(BY_HAND, `manual-${word}`, { status: '', at: operatorId }),
  desk: deskOf(operatorId, SUBMISSION.id),
  text: JSON.stringify({ data: { ...SUBMISSION, status } }),
});

/** Returns what operators see at the end of the round. */
export const handEnd = (otherwise: Partial<Submission> = {}, errand = BY_HAND): Answer => ({
  ...answered(errand, 'manual-end', { status: '', at: 26 }),
  desk: deskOf(9, null),
  text: JSON.stringify({ data: [{ ...SUBMISSION, ...otherwise }] }),
});

const event = (errand: Errand, type: string, status: string): Delivery => ({
  receiver: errand.app,
  atMs: 1_000,
  id: `evt_${errand.mark}${type}${status}`,
  type,
  signatureValid: true,
  paymentId: view(errand, status).id,
  refundId: null,
  reference: view(errand, status).reference,
  status,
  body: JSON.stringify({ type, data: view(errand, status) }),
});

const refundEvent = ({ id, paymentId, status }: Refund): Delivery => ({
  ...event(RETURNED, `refund.${status.toLowerCase()}`, status),
  id: `evt_${id}`,
  paymentId,
  refundId: id,
  reference: '',
  body: JSON.stringify({ type: 'refund', data: id }),
});

const posting = (errand: Errand, kind: string, grossMinor: string) => ({
  causeType: kind === 'charge' ? 'payment' : 'unapplied-payment',
  causeId: kind === 'charge' ? 'x' : `tran${errand.mark}:v${errand.mark}`,
  kind,
  mark: errand.mark,
  grossMinor,
  gateway: kind === 'kept' ? null : (errand.gateways?.[0] ?? 'sslcommerz'),
});
const recordedRefund = ({ id, amountMinor }: Refund) => ({
  tranId: `tran${RETURNED.mark}`,
  refId: `G${id}`,
  reference: `ref_${id}`,
  atMs: 1_000,
  amountMinor: String(amountMinor),
  outcome: 'refunded',
});

export const BILLED: Bill = {
  mark: '1-0-i0',
  app: 0,
  act: 'part-by-part',
  startMs: 0,
  firstApi: 0,
  totalMinor: 90_000,
  parts: [
    { inDays: -1, amountMinor: 40_000 },
    { inDays: 9, amountMinor: 50_000 },
  ],
  draftFirst: false,
};
const OVERDUE_DAY = '2026-11-20';
const part = { amountPaidMinor: 0 };
const invoice = {
  id: 60,
  number: 'INV-000001',
  status: 'OVERDUE',
  customerReference: BILLED.mark,
  totalMinor: 90_000,
  amountPaidMinor: 0,
  amountDueMinor: 90_000,
  installments: [
    { ...part, dueDate: OVERDUE_DAY, amountMinor: 40_000, status: 'OVERDUE' },
    { ...part, dueDate: '2026-11-30', amountMinor: 50_000, status: 'OPEN' },
  ],
};

/** Returns an answer about the invoice, with some fields changed. */
export function billAnswered(kind: Answer['kind'], at: number, otherwise: Partial<typeof invoice> = {}): Answer {
  return {
    ...answered(PAID, kind, { status: '', at }),
    mark: BILLED.mark,
    status: kind === 'bill' ? 201 : 200,
    text: JSON.stringify({ data: { ...invoice, ...otherwise } }),
  };
}

export const billEvent = (type: string, sequence: number, noticed: string | null = null): InvoiceDelivery => ({
  id: `evt_i${type}${sequence}`,
  type: `invoice.${type}`,
  invoiceId: invoice.id,
  sequence,
  noticed,
  signatureValid: true,
  body: `${type} ${sequence}`,
});

/** Returns the api's answer to an intent. `ownpayEvent` is what OwnPay's receiver gets at its end. */
export const intended = (errand: Errand, reference = view(errand, '').reference): Answer => ({
  ...answered(errand, 'intent', { status: '', at: 1 }),
  status: 201,
  text: JSON.stringify({ success: true, transaction_id: reference, payment_url: 'http://127.0.0.1/checkout/x' }),
});
export const ownpayEvent = (errand: Errand, type: string, status: string): Delivery => ({
  ...event(errand, type, status),
  contract: 'ownpay',
  paymentId: null,
});

/**
 * Returns the evidence of a round without defects: payers paid, left, were refunded and paid late, and an invoice became overdue.
 */
export function soundRound(): Evidence {
  return {
    errands: [PAID, LEFT, RETURNED, LATE, INTENDED, BY_HAND],
    bills: [BILLED],
    invoiceDeliveries: [billEvent('issued', 1), billEvent('overdue', 2, `${OVERDUE_DAY} 1`)],
    overpayments: [],
    numbers: [{ app: 0, numbers: [1] }],
    apps: [
      { index: 0, receiver: 0, store: 'fault_test', thresholdMinor: THRESHOLD },
      { index: 1, receiver: 1, store: 'fault_live', thresholdMinor: null },
      { index: 2, receiver: null, store: 'fault_test', thresholdMinor: null },
    ],
    answers: [
      answered(PAID, 'create', { status: 'PENDING', at: 1 }),
      answered(LEFT, 'create', { status: 'PENDING', at: 2 }),
      answered(RETURNED, 'create', { status: 'PENDING', at: 3 }),
      answered(LATE, 'create', { status: 'PENDING', at: 4 }),
      intended(INTENDED),
      answered(INTENDED, 'list', { status: 'FAILED', at: 23 }),
      answered(BY_HAND, 'create', { status: 'PENDING', at: 4 }),
      written,
      handWord('confirm', 7, 'WAITING'),
      handWord('confirm', 8, 'CONFIRMED'),
      handEnd(),
      answered(BY_HAND, 'list', { status: 'SUCCEEDED', at: 23 }),
      answered(PAID, 'read', { status: 'SUCCEEDED', at: 10 }),
      answered(RETURNED, 'read', { status: 'SUCCEEDED', at: 10 }),
      refundAnswered('refund', { ...BY_APP, status: 'PENDING' }),
      refundAnswered('desk-refund', { ...BY_OPERATORS, status: 'AWAITING_APPROVAL' }, { desk: deskOf(7, null) }),
      refundAnswered('approve', { ...BY_OPERATORS, status: 'PENDING' }, { status: 200, desk: deskOf(8, 51) }),
      lateWord(8),
      lateWord(9),
      answered(PAID, 'list', { status: 'SUCCEEDED', at: 20 }),
      answered(LEFT, 'list', { status: 'EXPIRED', at: 21 }),
      answered(RETURNED, 'list', { status: 'REFUNDED', at: 22 }),
      answered(LATE, 'list', { status: 'CANCELLED', at: 23 }),
      refundList([BY_APP, BY_OPERATORS], 24),
      billAnswered('bill', 2),
      billAnswered('bill-look', 25),
    ],
    sessions: [PAID, LEFT, RETURNED, LATE, INTENDED, BY_HAND].map(({ mark, gateways }) => ({
      gateway: gateways?.[0] ?? 'sslcommerz',
      key: `KEY${mark}`,
      tranId: `tran${mark}`,
      mark,
      storeId: 'fault_test',
      outcome: mark === LEFT.mark ? null : mark === INTENDED.mark ? 'FAILED' : 'VALID',
      outcomeIsSaid: true,
      notified: mark === PAID.mark ? [{ signed: true, digest: 'd1' }] : [],
      unsent: 0,
    })),
    charges: [PAID, RETURNED, LATE, BY_HAND].map(({ mark, amountMinor, gateways }) => ({
      gateway: gateways?.[0] ?? 'sslcommerz',
      tranId: `tran${mark}`,
      valId: `v${mark}`,
      atMs: 5,
      amountMinor: String(amountMinor),
    })),
    strays: [],
    ownpayDeliveries: [ownpayEvent(INTENDED, 'payment.failed', 'failed')],
    attempts: [PAID, LEFT, RETURNED, LATE, INTENDED, BY_HAND].map(({ mark, gateways }) => ({
      reference: `tran${mark}`,
      gateway: gateways?.[0] ?? 'sslcommerz',
      mark,
    })),
    refunded: [recordedRefund(BY_APP), recordedRefund(BY_OPERATORS)],
    refundNames: [BY_APP, BY_OPERATORS].map(({ id }) => ({
      id,
      reference: `ref_${id}`,
      gateway: 'sslcommerz',
      mark: RETURNED.mark,
      unappliedPaymentId: null,
    })),
    keptNotices: ['d1'],
    restored: {
      lostPayments: 2,
      lostCharges: [{ order: 'tranLOST', payment: 'pay_lost', listed: true }],
      numbersGivenTwice: [],
      staleEvents: [],
    },
    deliveries: [
      event(PAID, 'payment.succeeded', 'SUCCEEDED'),
      event(LEFT, 'payment.expired', 'EXPIRED'),
      event(RETURNED, 'payment.succeeded', 'SUCCEEDED'),
      refundEvent(BY_APP),
      event(RETURNED, 'payment.refunded', 'PARTIALLY_REFUNDED'),
      refundEvent(BY_OPERATORS),
      event(RETURNED, 'payment.refunded', 'REFUNDED'),
      event(LATE, 'payment.cancelled', 'CANCELLED'),
      event(BY_HAND, 'payment.succeeded', 'SUCCEEDED'),
    ],
    postings: [
      posting(PAID, 'charge', '12345'),
      posting(RETURNED, 'charge', '30000'),
      posting(LATE, 'unapplied', '40000'),
      posting(LATE, 'kept', '0'),
      posting(BY_HAND, 'charge', '16000'),
      ...[BY_APP, BY_OPERATORS].map(({ id, amountMinor }) => ({
        causeType: 'refund',
        causeId: `ref_${id}`,
        kind: 'refund',
        mark: RETURNED.mark,
        grossMinor: String(amountMinor),
        gateway: 'sslcommerz',
      })),
    ],
    accounts: [
      {
        account: 'gateway:sslcommerz:clearing',
        currency: 'BDT',
        normalSide: 'debit',
        debitsMinor: '12345',
        creditsMinor: '300',
        statedMinor: '12045',
      },
      {
        account: 'app:payable',
        currency: 'BDT',
        normalSide: 'credit',
        debitsMinor: '0',
        creditsMinor: '12345',
        statedMinor: '12345',
      },
      {
        account: 'gateway:fees',
        currency: 'BDT',
        normalSide: 'debit',
        debitsMinor: '300',
        creditsMinor: '0',
        statedMinor: '300',
      },
    ],
    unsettled: [],
    workflows: [{ id: 'payment:x', status: 'COMPLETED', taskFailures: [] }],
    foreignReads: [{ by: 'application 0', of: 'payment 2 of application 1', status: 404 }],
    canaries: [],
    searched: 4,
    findings: [],
    proved: 1,
    payouts: {
      lines: [{ times: 1, count: 5, example: 'sslcommerz line 1' }],
      movements: [{ times: 1, count: 4, example: `charge:tran${PAID.mark}:v` }],
      bookings: [{ times: 1, count: 3, example: 'sslcommerz booking 1' }],
      files: [{ gateway: 'sslcommerz', mode: 'TEST', rows: 5, lines: 5 }],
      residuals: [{ payout: 'sslcommerz 2026-11-24', residualMinor: '-50', cases: 1 }],
    },
  };
}
