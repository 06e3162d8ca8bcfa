import type { Language } from '../../web/language.ts';
import type {
  CheckoutState,
  CheckoutView,
  ErrorPageKind,
  ErrorPageView,
  UnappliedMoney,
} from '../../web/checkout/view.ts';

/** The time at which all example pages are rendered: 14:05 in Dhaka. */
export const now = new Date('2026-11-21T08:05:00Z');

/** Returns a time before or after `now`. */
export function at(offsetSeconds: number): Date {
  return new Date(now.getTime() + offsetSeconds * 1000);
}

const receipt = { paidAt: at(-30), receiptNumber: 'R-2026-000417', gatewayTransactionId: '251121140430a1B2c3D4e5F6' };

const unapplied = <Status extends UnappliedMoney['status']>(status: Status) => ({
  status,
  amountMinor: 12_345_600n,
  currency: 'BDT',
  receivedAt: at(-600),
});

/** One example of every state, by the name under which it is served. */
export const exampleStates = {
  opening: { kind: 'opening', since: at(-4) },
  open: {
    kind: 'open',
    expiresAt: at(12 * 60 + 20),
    continueAction: '/checkout/pay_x/continue',
    cancelAction: '/checkout/pay_x/cancel',
    returnedUnpaid: false,
  },
  returned: {
    kind: 'open',
    expiresAt: at(95),
    continueAction: '/checkout/pay_x/continue',
    cancelAction: '/checkout/pay_x/cancel',
    returnedUnpaid: true,
  },
  manual: {
    kind: 'manual',
    expiresAt: at(3 * 24 * 3_600),
    instructions: {
      label: 'Bank transfer',
      text: 'Lenden Bank, Dhaka\nAccount 0123 456 789\nRupali Books & Stationery',
    },
    code: 'q7Rk2Vb9XcT4nB8sLdR1',
    submitAction: '/checkout/pay_x/submission',
    cancelAction: '/checkout/pay_x/cancel',
    otherWaysPath: '/checkout/pay_x?choose=1',
    rejected: null,
    problem: null,
  },
  rejected: {
    kind: 'manual',
    expiresAt: at(3_600),
    instructions: { label: 'Bank transfer', text: 'Lenden Bank, Dhaka\nAccount 0123 456 789' },
    code: 'q7Rk2Vb9XcT4nB8sLdR1',
    submitAction: '/checkout/pay_x/submission',
    cancelAction: '/checkout/pay_x/cancel',
    rejected: { transaction: 'BKX7 2291 004', reason: 'No such transfer has arrived' },
    problem: 'transaction',
  },
  submitted: {
    kind: 'submitted',
    since: at(-3_600),
    transaction: 'BKX7 2291 004',
    code: 'q7Rk2Vb9XcT4nB8sLdR1',
    correctAction: '/checkout/pay_x/submission',
    problem: null,
  },
  correcting: {
    kind: 'submitted',
    since: at(-3_600),
    transaction: 'BKX7 2291 004',
    code: 'q7Rk2Vb9XcT4nB8sLdR1',
    correctAction: '/checkout/pay_x/submission',
    problem: 'sender',
  },
  deciding: {
    kind: 'submitted',
    since: at(-3_600),
    transaction: 'BKX7 2291 004',
    code: 'q7Rk2Vb9XcT4nB8sLdR1',
    correctAction: null,
    problem: null,
  },
  choosing: {
    kind: 'choosing',
    expiresAt: at(12 * 60 + 20),
    options: [
      { name: 'bkash', label: 'bKash' },
      { name: 'sslcommerz', label: 'SSLCOMMERZ' },
    ],
    chooseAction: '/checkout/pay_x/gateway',
    cancelAction: '/checkout/pay_x/cancel',
  },
  chosen: {
    kind: 'open',
    otherWaysPath: '/checkout/pay_x?choose=1',
    expiresAt: at(12 * 60 + 20),
    continueAction: '/checkout/pay_x/continue',
    cancelAction: '/checkout/pay_x/cancel',
    returnedUnpaid: false,
  },
  opening_chosen: { kind: 'opening', since: at(-4), otherWaysPath: '/checkout/pay_x?choose=1' },
  confirming: { kind: 'confirming', since: at(-10), cause: 'payment' },
  unpaid: { kind: 'confirming', since: at(-10), cause: 'unpaid' },
  cancelling: { kind: 'confirming', since: at(-10), cause: 'cancellation' },
  review: { kind: 'review', since: at(-4000) },
  succeeded: { kind: 'succeeded', receipt },
  failed: { kind: 'failed', at: at(-30) },
  cancelled: { kind: 'cancelled', at: at(-30) },
  expired: { kind: 'expired', at: at(-30) },
  not_needed: { kind: 'cancelled', at: at(-30), invoicePaid: true },
  searching: { kind: 'confirming', since: at(-10), cause: 'late' },
  unapplied_held: { kind: 'unapplied', money: [unapplied('held')] },
  unapplied_refunding: { kind: 'unapplied', money: [unapplied('refunding')] },
  unapplied_refunded: { kind: 'unapplied', money: [unapplied('refunded')] },
  unapplied_kept: { kind: 'unapplied', money: [unapplied('kept')] },
  unapplied_several: { kind: 'unapplied', money: [unapplied('refunded'), unapplied('held')] },
  paid_twice: { kind: 'succeeded', receipt, unapplied: [unapplied('held')] },
  paid_twice_refunded: { kind: 'refunded', receipt, refundedMinor: 12_345_600n, unapplied: [unapplied('refunding')] },
  partially_refunded: { kind: 'partially_refunded', receipt, refundedMinor: 2_500_050n },
  refunded: { kind: 'refunded', receipt, refundedMinor: 12_345_600n },
} as const satisfies Record<string, CheckoutState>;

export const errorKinds = [
  'not_found',
  'bad_request',
  'method_not_allowed',
  'too_many_requests',
  'unavailable',
  'internal_error',
] as const satisfies readonly ErrorPageKind[];

/** Returns a page in a state, otherwise of an ordinary shop. */
export function exampleView(state: CheckoutState, changes: Partial<CheckoutView> = {}): CheckoutView {
  return {
    reference: 'pay_7Hq2mX9vKcT4nB8sLdR1wE',
    appName: 'Rupali Books & Stationery',
    mode: 'TEST',
    language: 'en',
    amountMinor: 12_345_600n,
    currency: 'BDT',
    productName: 'Order 1042: three novels and a desk lamp',
    gatewayName: 'SSLCOMMERZ',
    state,
    returnUrl: 'https://shop.example/orders/1042?from=checkout',
    pagePath: '/checkout/pay_x',
    now,
    timeZone: 'Asia/Dhaka',
    ...changes,
  };
}

/** Returns an error page with every optional member. */
export function exampleError(kind: ErrorPageKind, language: Language): ErrorPageView {
  return {
    kind,
    language,
    pagePath: '/checkout/pay_x',
    retryPath: kind === 'not_found' ? null : '/checkout/pay_x',
    retryAfterSeconds: kind === 'too_many_requests' ? 30 : null,
    requestId: kind === 'internal_error' ? 'req_4f9a21' : null,
  };
}
