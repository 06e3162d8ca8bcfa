import { type Installment, stateOf } from '../../../domain/installments.ts';
import type { PayableInvoice, PayableLine, PayableView, Paying, FinalizedPayment } from '../../../web/payable/view.ts';
import { at, now } from '../example-views.ts';

export const pagePath = '/pay/pay_4Kd8sQ2mXv7TcN9bLrW1eA';

const lines: readonly PayableLine[] = [
  line('Web site for the shop, design and text in two languages', 1n, 4_500_000n),
  { ...line('Hosting, a month', 12n, 250_000n), discountMinor: 300_000n, taxMinor: 135_000n },
  line('ডোমেইন নিবন্ধন (rupalibooks.com.bd)', 2n, 150_000n),
];

function line(description: string, qty: bigint, unitAmountMinor: bigint): PayableLine {
  return { description, qty, unitAmountMinor, lineTotalMinor: qty * unitAmountMinor, discountMinor: 0n, taxMinor: 0n };
}

export const schedule: readonly Installment[] = [
  { dueDate: '2026-10-05', amountMinor: 2_000_000n },
  { dueDate: '2026-11-05', amountMinor: 2_000_000n },
  { dueDate: '2026-12-05', amountMinor: 2_000_000n },
  { dueDate: '2027-01-05', amountMinor: 1_635_000n },
];

const first: FinalizedPayment = {
  paidAt: at(-45 * 86_400),
  amountMinor: 2_000_000n,
  refundedMinor: 0n,
  gatewayName: 'SSLCOMMERZ',
  gatewayTransactionId: '251007101512a1B2c3D4e5F6',
};
const payments: readonly FinalizedPayment[] = [
  first,
  {
    paidAt: at(-16 * 86_400),
    amountMinor: 2_500_000n,
    refundedMinor: 0n,
    gatewayName: 'bKash',
    gatewayTransactionId: 'BKT9X2L4QW',
  },
];

export const plain: PayableInvoice = {
  number: 'INV-000042',
  status: 'ISSUED',
  issueDate: '2026-11-14',
  dueDate: '2026-12-05',
  payBefore: null,
  currency: 'BDT',
  lines,
  subtotalMinor: 7_800_000n,
  discountMinor: 300_000n,
  taxes: [{ name: 'VAT', basisPoints: 500n, amountMinor: 135_000n }],
  totalMinor: 7_635_000n,
  paidMinor: 0n,
  dueMinor: 7_635_000n,
  installments: [],
  notes: 'Thank you for your order.\nThe site goes live on 1 December.',
  payments: [],
};

/** Returns the plain invoice by installments with the amount `paidMinor` paid. */
function inParts(paidMinor: bigint, changes: Partial<PayableInvoice>): PayableInvoice {
  return {
    ...plain,
    dueDate: '2027-01-05',
    issueDate: '2026-10-01',
    paidMinor,
    dueMinor: plain.totalMinor - paidMinor,
    installments: stateOf(schedule, paidMinor, '2026-11-21'),
    ...changes,
  };
}

const paying: Paying = {
  action: `${pagePath}/pay`,
  requestedMinor: plain.dueMinor,
  wholeAtOnce: true,
  anyAmount: null,
  problem: null,
  typed: null,
};
const anyAmount = { minMinor: 1_000n, maxMinor: plain.dueMinor };
const partly = inParts(4_500_000n, { status: 'PARTIALLY_PAID', payments });
const payingPartly: Paying = {
  ...paying,
  requestedMinor: 1_500_000n,
  anyAmount: { minMinor: 1_000n, maxMinor: partly.dueMinor },
};
const inProgress = { checkoutPath: '/checkout/pay_y', amountMinor: 1_500_000n, since: at(-70) };

interface Changes extends Partial<PayableView> {
  readonly invoice: PayableInvoice;
  readonly paying: Paying | null;
}

/** One example of every state, by the name under which it is served. */
export const exampleInvoices = {
  issued: { invoice: plain, paying },
  any_amount: { invoice: plain, paying: { ...paying, anyAmount } },
  bare: {
    invoice: { ...plain, dueDate: null, issueDate: null, notes: null, discountMinor: 0n, taxes: [] },
    paying,
  },
  installments: { invoice: partly, paying: payingPartly },
  overdue: {
    invoice: inParts(2_000_000n, { status: 'OVERDUE', payments: [first] }),
    paying: { ...paying, requestedMinor: 2_000_000n, anyAmount: { minMinor: 1_000n, maxMinor: 5_635_000n } },
  },
  in_progress: { invoice: partly, paying: payingPartly, inProgress },
  in_progress_all: {
    invoice: plain,
    paying,
    inProgress: { ...inProgress, amountMinor: plain.dueMinor },
  },
  not_an_amount: { invoice: partly, paying: { ...payingPartly, problem: 'not_an_amount', typed: '1,5 hundred' } },
  too_little: { invoice: partly, paying: { ...payingPartly, problem: 'too_little', typed: '5' } },
  too_much: { invoice: partly, paying: { ...payingPartly, problem: 'too_much', typed: '৯৯,৯৯৯' } },
  changed: { invoice: partly, paying: { ...payingPartly, problem: 'changed' } },
  unavailable: { invoice: partly, paying: { ...payingPartly, problem: 'unavailable', typed: '500' } },
  not_online: { invoice: plain, paying: null },
  paid: {
    invoice: inParts(plain.totalMinor, {
      status: 'PAID',
      payments: [...payments, { ...first, paidAt: at(-90), amountMinor: 3_135_000n }],
    }),
    paying: null,
  },
  overpayment: {
    invoice: inParts(plain.totalMinor, {
      status: 'PAID',
      payments: [...payments, { ...first, paidAt: at(-90), amountMinor: 4_135_000n }],
    }),
    paying: null,
    unapplied: [
      { status: 'refunded', amountMinor: 100_000n, currency: 'BDT', receivedAt: at(-600) },
      { status: 'held', amountMinor: 1_000_000n, currency: 'BDT', receivedAt: at(-90) },
    ],
  },
  void: { invoice: { ...plain, status: 'VOID', dueMinor: 0n }, paying: null },
  expired: { invoice: { ...plain, status: 'EXPIRED' }, paying: null },
} as const satisfies Record<string, Changes>;

/** Returns a page in a state, otherwise of an ordinary shop. */
export function examplePayable({ invoice, paying: payingNow, ...changes }: Changes): PayableView {
  return {
    language: 'en',
    mode: 'LIVE',
    pagePath,
    pdfPath: `${pagePath}/pdf`,
    now,
    timeZone: 'Asia/Dhaka',
    branding: {
      companyName: 'Shapla Studio & Sons',
      companyAddress: 'House 12, Road 5\nDhanmondi, Dhaka 1205\nBangladesh',
      contactDetails: 'accounts@shapla.example\n+880 2 5500 0000',
      footerNote: 'Trade licence TRAD/DSCC/012345/2024',
      logoPath: `${pagePath}/logo`,
    },
    invoice,
    paying: payingNow,
    unapplied: [],
    inProgress: null,
    ...changes,
  };
}
