import { CALLBACK_OUTCOMES } from '../../database/entities/payment.ts';
import { ATTEMPT_STATUSES, REVIEW_REASONS, FINAL_STATUSES } from '../../domain/payment.ts';
import { FINAL_REFUND_STATUSES, REFUND_REVIEW_REASONS, type RefundReviewReason } from '../../domain/refund.ts';
import { DISABLED_REASONS } from '../../domain/webhook.ts';
import { GATEWAY_FAULTS } from './gateway.ts';
import { REFUND_FATES, REPEAT_MANNERS } from './gateway-refunds.ts';
import { INVOICE_ACTS, INVOICE_SHARES } from './invoice-story.ts';
import { REFUND_SHARES } from './money-story.ts';
import { APPROVAL_WAYS } from './operators.ts';
import { RECEIVER_MANNERS } from './receivers.ts';
import { PAYER_WAYS } from './payment-story.ts';

/** Refunds: who requested them, what the gateway and the operators did, and how they ended. */
/**
 * The simulated gateway is SSLCOMMERZ: its refunds do not fail after they have succeeded, and no person pays them back manually. No older database is
 * restored.
 */
const NEVER_SIMULATED: ReadonlySet<RefundReviewReason> = new Set([
  'FAILED_AFTER_SUCCESS',
  'PAID_BACK_BY_HAND',
  'REJECTED_AFTER_DOUBT',
]);

const REFUND_BRANCHES: readonly string[] = [
  ...REFUND_SHARES.map((share) => `refund wanted: ${share}`),
  ...['PENDING', 'replayed'].map((answer) => `refund answer: 201 ${answer}`),
  ...['IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_CONFLICT', 'INVALID_OPERATION_STATE', 'REFUND_EXCEEDS_BALANCE'].map(
    (code) => `refund answer: ${code}`,
  ),
  ...REFUND_FATES.map((fate) => `refund at the gateway: ${fate}`),
  'refund at the gateway: not found yet',
  ...REPEAT_MANNERS.map((manner) => `refund key again: ${manner}`),
  ...FINAL_REFUND_STATUSES.map((status) => `refundWorkflow: completed ${status}`),
  ...['APP of a payment', 'USER of a payment', 'SYSTEM of unapplied money', 'USER of unapplied money'].flatMap((by) => [
    `refund by ${by}: SUCCEEDED`,
    `refund by ${by}: FAILED`,
  ]),
  ...['APPROVAL_EXPIRED', 'APPROVER_REJECTED', 'GATEWAY_REFUSED_REFUND', 'OPERATOR_FOUND_NOT_REFUNDED'].map(
    (code) => `refund failure: ${code}`,
  ),
  ...REFUND_REVIEW_REASONS.filter((reason) => !NEVER_SIMULATED.has(reason)).map((reason) => `refund review: ${reason}`),
  ...APPROVAL_WAYS.map((way) => `approval: ${way}`),
  ...['PENDING', 'FAILED', 'SUCCEEDED', 'REJECTED'].map((outcome) => `decision: refund ${outcome}`),
  ...['REFUNDING', 'KEPT'].map((outcome) => `decision: unapplied-payment ${outcome}`),
  'second person: wanted',
  'people: refunded',
  ...['none', 'under way', 'given back', 'not given back'].map((seen) => `panel: ${seen}`),
  ...['payments/refunds 201', 'refunds/approve 200', 'refunds/reject 200', 'refunds/review 200'].map(
    (answer) => `operator: ${answer}`,
  ),
  ...['payments/refunds', 'refunds/approve', 'refunds/reject', 'unapplied-payments'].map(
    (action) => `operator: ${action} INVALID_OPERATION_STATE`,
  ),
  ...['refunds/approve', 'refunds/review', 'unapplied-payments', 'payments/review'].flatMap((action) => [
    `operator: ${action} FORBIDDEN`,
    `operator: ${action} REAUTH_REQUIRED`,
    `operator: ${action} no answer`,
  ]),
  ...['refundWorkflow', 'unappliedPaymentWorkflow', 'paymentWorkflow'].map((type) => `signal by hand: ${type}`),
  'refundWorkflow: replayed',
  'refundWorkflow: continued as new',
  'refundWorkflow: failed RECORDING_FAILED',
  'terminated: refundWorkflow',
  ...['readRefund', 'driveRefund', 'decideRefund', 'endRefund', 'markRefundForReview', 'decideUnappliedPayment'].map(
    (activity) => `activity ${activity}: retried`,
  ),
  'activity driveRefund: timed out',
  'alert: refund-review',
  'alert: refund-awaits-approval',
  'alert: signal-without-decision',
  'alert: decision-declined',
];

/** Invoices: how they are paid, changed and notified, and how they end. */
const INVOICE_BRANCHES: readonly string[] = [
  ...['DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID'].map((status) => `invoice: ${status}`),
  ...[
    'DRAFT → ISSUED',
    'ISSUED → PARTIALLY_PAID',
    'ISSUED → PAID',
    'ISSUED → VOID',
    'PARTIALLY_PAID → PAID',
    'PARTIALLY_PAID → ISSUED',
    'PAID → PARTIALLY_PAID',
    'PAID → ISSUED',
  ].map((step) => `invoice: ${step}`),
  ...INVOICE_SHARES.flatMap((share) => [`invoice payer: ${share}`, `invoice payer: ${share} on the page`]),
  ...INVOICE_ACTS.filter((act) => act !== 'look').map((act) => `invoice answer: ${act}`),
  ...['void', 'pause', 'new due dates', 'edit', 'delete'].map(
    (act) => `invoice answer: ${act} INVALID_OPERATION_STATE`,
  ),
  'invoice answer: create IDEMPOTENCY_IN_PROGRESS',
  'invoice: link looked at',
  'invoice: paid beyond what was due',
  ...['303', '422', 'no answer'].map((answer) => `invoice page: ${answer}`),
  ...['HELD', 'KEPT', 'REFUNDED'].map((status) => `overpayment: ${status}`),
  ...['reminder', 'overdue', 'reminder left out'].map((what) => `notice: ${what}`),
  ...['SENT', 'REFUSED', 'GIVEN_UP', 'NONE'].map((status) => `email: ${status}`),
  'invoiceWorkflow: completed PAID',
  'invoiceWorkflow: completed VOID',
  'invoiceWorkflow: replayed',
  'invoiceWorkflow: continued as new',
  'invoiceWorkflow: failed RECORDING_FAILED',
  'terminated: invoiceWorkflow',
  'activity driveInvoice: retried',
  'alert: invoice-overpayment',
  'alert: invoice-mail-not-sent',
];

/** First attempts without a workflow: how they end, who continues them, and what befalls the process. */
const DELIVERY_BRANCHES: readonly string[] = [
  ...['delivered', 'retry', 'parked', 'waited'].map((what) => `first attempt: ${what}`),
  'webhookWorkflow: begun for the first attempt',
  'webhookWorkflow: begun after a failed attempt',
  'died between commit and first attempt',
  'died after the receiver accepted',
  'receiver: hangs',
  'event of a receiver that hangs',
  'event: arrived again',
  'local activity verifyPayment: timed out',
];

/** The branches that a run of ten thousand seeds must reach. A branch that no story reaches is not tested by any. */
export const EXPECTED_BRANCHES: readonly string[] = [
  ...FINAL_STATUSES.map((status) => `payment: ${status}`),
  ...REVIEW_REASONS.map((reason) => `payment: PENDING, review ${reason}`),
  // CREATED and OPEN are not final; every attempt has been both.
  ...ATTEMPT_STATUSES.filter((status) => status !== 'CREATED' && status !== 'OPEN').map(
    (status) => `attempt: ${status}`,
  ),
  // Every callback was RECEIVED once. NOTICED is for disputes, and the simulated gateway has none.
  ...CALLBACK_OUTCOMES.filter((outcome) => outcome !== 'RECEIVED' && outcome !== 'NOTICED').map(
    (outcome) => `callback: ${outcome}`,
  ),
  'callback: repeated',
  'failure: GATEWAY_REFUSED_SESSION',
  'failure: GATEWAY_DECLINED',
  ...['AMOUNT', 'CURRENCY', 'REFERENCE', 'STORE'].map((what) => `decision: review DECLINED_${what}_MISMATCH`),
  'decision: review SUCCEEDED',
  'decision: review FAILED',
  ...['HELD', 'REFUNDED', 'KEPT'].map((status) => `late: ${status}`),
  ...['nothing-unapplied', 'refunded', 'kept'].map((end) => `unappliedPaymentWorkflow: completed ${end}`),
  'unappliedPaymentWorkflow: continued as new',
  'event: DELIVERED',
  'event: PARKED NO_ENDPOINT',
  'event: PARKED ENDPOINT_DISABLED',
  'event: PARKED HTTP_500',
  'webhookWorkflow: completed delivered',
  'webhookWorkflow: completed parked',
  'webhookWorkflow: continued as new',
  ...DISABLED_REASONS.map((reason) => `endpoint: disabled ${reason}`),
  ...RECEIVER_MANNERS.map((manner) => `receiver: ${manner}`),
  ...GATEWAY_FAULTS.map((fault) => `gateway: ${fault}`),
  ...PAYER_WAYS.map((way) => `payer: ${way}`),
  'payer: presses cancel',
  'notice: lost',
  'forged: bad',
  'forged: absent',
  'answer: 201 PENDING',
  'answer: 201 CREATED',
  'answer: IDEMPOTENCY_IN_PROGRESS',
  'answer: IDEMPOTENCY_KEY_CONFLICT',
  'answer: GATEWAY_ERROR',
  'answer: replayed',
  ...['paymentWorkflow', 'unappliedPaymentWorkflow', 'webhookWorkflow', 'sweepWorkflow'].map(
    (type) => `${type}: replayed`,
  ),
  'paymentWorkflow: continued as new',
  'paymentWorkflow: failed RECORDING_FAILED',
  ...['paymentWorkflow', 'unappliedPaymentWorkflow', 'webhookWorkflow', 'sweepWorkflow'].map(
    (type) => `terminated: ${type}`,
  ),
  'sweepWorkflow: continued as new',
  ...[
    'openCheckout',
    'verifyPayment',
    'finalizePayment',
    'markForReview',
    'recordUnappliedPayment',
    'deliverWebhook',
  ].map((activity) => `activity ${activity}: retried`),
  'activity verifyPayment: timed out',
  'activity deliverWebhook: timed out',
  'task: heartbeat',
  'task: timed out',
  'task: end refused for news',
  ...['api', 'worker-a', 'worker-b'].flatMap((process) => [`killed: ${process}`, `frozen: ${process}`]),
  'leap of the clock',
  'payment: PARTIALLY_REFUNDED',
  'payment: REFUNDED',
  ...DELIVERY_BRANCHES,
  ...REFUND_BRANCHES,
  ...INVOICE_BRANCHES,
  'alert: payment-review',
  'alert: unapplied-payment',
  'alert: unmatched-callback',
  'alert: webhook-parked',
  'alert: webhook-endpoint-disabled',
];
