import type { Delivery, Evidence } from '../../proofs/faults/evidence.ts';
import type { Answer } from '../../proofs/faults/journal.ts';
import type { Errand } from '../../proofs/faults/plan.ts';

export const PAID: Errand = {
  mark: '1-0-0',
  app: 0,
  startMs: 0,
  amountMinor: 12_345,
  script: null,
  act: 'pay',
  firstApi: 0,
  repeat: null,
  forgery: null,
  refund: null,
  late: 'refund',
};
export const LEFT: Errand = { ...PAID, mark: '1-0-1', app: 1, amountMinor: 5_000, act: 'leave-the-gateway' };
/** Paid and given back whole: a part by the application, the rest, which is above the threshold, by two operators. */
export const RETURNED: Errand = { ...PAID, mark: '1-0-2', amountMinor: 30_000, refund: 'mixed' };
/** Called off and paid all the same; two operators let the application keep it. */
export const LATE: Errand = { ...PAID, mark: '1-0-3', amountMinor: 40_000, act: 'cancel-then-pay', late: 'keep' };

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

/** The application's refund, and the operators'. */
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

/** An answer about one refund, to the application or to an operator. */
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
  causeType: kind === 'settlement' ? 'payment' : 'late-payment',
  causeId: 'x',
  kind,
  mark: errand.mark,
  grossMinor,
});
const bookedRefund = ({ id, amountMinor }: Refund) => ({
  tranId: `tran${RETURNED.mark}`,
  refId: `G${id}`,
  reference: `ref_${id}`,
  atMs: 1_000,
  amountMinor: String(amountMinor),
  outcome: 'refunded',
});

/** A round in which payers paid, left, were given back and paid late, and everything is as it must be. */
export function soundRound(): Evidence {
  return {
    errands: [PAID, LEFT, RETURNED, LATE],
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
    ],
    sessions: [PAID, LEFT, RETURNED, LATE].map(({ mark }) => ({
      key: `KEY${mark}`,
      tranId: `tran${mark}`,
      mark,
      storeId: 'fault_test',
      outcome: mark === LEFT.mark ? null : 'VALID',
      outcomeAtMs: null,
      notified: mark === PAID.mark ? [{ signed: true, digest: 'd1' }] : [],
      unsent: 0,
    })),
    charges: [PAID, RETURNED, LATE].map(({ mark, amountMinor }) => ({
      tranId: `tran${mark}`,
      valId: `v${mark}`,
      atMs: 5,
      amountMinor: String(amountMinor),
    })),
    givenBack: [bookedRefund(BY_APP), bookedRefund(BY_OPERATORS)],
    refundNames: [BY_APP, BY_OPERATORS].map(({ id }) => ({
      id,
      reference: `ref_${id}`,
      mark: RETURNED.mark,
      latePaymentId: null,
    })),
    keptNotices: ['d1'],
    deliveries: [
      event(PAID, 'payment.succeeded', 'SUCCEEDED'),
      event(LEFT, 'payment.expired', 'EXPIRED'),
      event(RETURNED, 'payment.succeeded', 'SUCCEEDED'),
      refundEvent(BY_APP),
      event(RETURNED, 'payment.refunded', 'PARTIALLY_REFUNDED'),
      refundEvent(BY_OPERATORS),
      event(RETURNED, 'payment.refunded', 'REFUNDED'),
      event(LATE, 'payment.cancelled', 'CANCELLED'),
    ],
    postings: [
      posting(PAID, 'settlement', '12345'),
      posting(RETURNED, 'settlement', '30000'),
      posting(LATE, 'late', '40000'),
      posting(LATE, 'kept', '0'),
      ...[BY_APP, BY_OPERATORS].map(({ id, amountMinor }) => ({
        causeType: 'refund',
        causeId: `ref_${id}`,
        kind: 'refund',
        mark: RETURNED.mark,
        grossMinor: String(amountMinor),
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
  };
}
