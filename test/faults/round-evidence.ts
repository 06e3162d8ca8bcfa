import type { Evidence } from '../../proofs/faults/evidence.ts';
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
};
export const LEFT: Errand = { ...PAID, mark: '1-0-1', app: 1, amountMinor: 5_000, act: 'leave-the-gateway' };

const view = (errand: Errand, status: string) => ({
  id: errand.app + 1,
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

const event = (errand: Errand, type: string, status: string) => ({
  receiver: errand.app,
  atMs: 1_000,
  id: `evt_${errand.mark}`,
  type,
  signatureValid: true,
  reference: view(errand, status).reference,
  status,
  body: JSON.stringify({ type, data: view(errand, status) }),
});

/** A round in which one payer paid and one left, and everything is as it must be. */
export function soundRound(): Evidence {
  return {
    errands: [PAID, LEFT],
    apps: [
      { index: 0, receiver: 0, store: 'fault_test' },
      { index: 1, receiver: 1, store: 'fault_live' },
      { index: 2, receiver: null, store: 'fault_test' },
    ],
    answers: [
      answered(PAID, 'create', { status: 'PENDING', at: 1 }),
      answered(LEFT, 'create', { status: 'PENDING', at: 2 }),
      answered(PAID, 'read', { status: 'SUCCEEDED', at: 10 }),
      answered(PAID, 'list', { status: 'SUCCEEDED', at: 20 }),
      answered(LEFT, 'list', { status: 'EXPIRED', at: 21 }),
    ],
    sessions: [PAID, LEFT].map(({ mark }) => ({
      key: `KEY${mark}`,
      tranId: `tran${mark}`,
      mark,
      storeId: 'fault_test',
      outcome: mark === PAID.mark ? 'VALID' : null,
      outcomeAtMs: null,
      notified: mark === PAID.mark ? [{ signed: true, digest: 'd1' }] : [],
      unsent: 0,
    })),
    charges: [{ tranId: `tran${PAID.mark}`, valId: 'v1', atMs: 5, amountMinor: '12345' }],
    keptNotices: ['d1'],
    deliveries: [event(PAID, 'payment.succeeded', 'SUCCEEDED'), event(LEFT, 'payment.expired', 'EXPIRED')],
    postings: [{ causeType: 'payment', causeId: 'x', kind: 'settlement', mark: PAID.mark, grossMinor: '12345' }],
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
