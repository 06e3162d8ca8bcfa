import { CALLBACK_OUTCOMES } from '../../database/entities/payment.ts';
import { ATTEMPT_STATUSES, REVIEW_REASONS, SETTLED_STATUSES } from '../../domain/payment.ts';
import { DISABLED_REASONS } from '../../domain/webhook.ts';
import { GATEWAY_FAULTS } from './gateway.ts';
import { RECEIVER_MANNERS } from './receivers.ts';
import { PAYER_WAYS } from './story.ts';

/** What a run of ten thousand seeds must have been through: a branch that no story reaches is not tested by any. */
export const EXPECTED_BRANCHES: readonly string[] = [
  ...SETTLED_STATUSES.map((status) => `payment: ${status}`),
  ...REVIEW_REASONS.map((reason) => `payment: PENDING, review ${reason}`),
  // CREATED and OPEN are on the way, not ends; every attempt has been both.
  ...ATTEMPT_STATUSES.filter((status) => status !== 'CREATED' && status !== 'OPEN').map(
    (status) => `attempt: ${status}`,
  ),
  ...CALLBACK_OUTCOMES.filter((outcome) => outcome !== 'RECEIVED').map((outcome) => `callback: ${outcome}`),
  'callback: repeated',
  'failure: GATEWAY_REFUSED_SESSION',
  'failure: GATEWAY_DECLINED',
  'late: HELD',
  'latePaymentWorkflow: completed nothing-late',
  'latePaymentWorkflow: continued as new',
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
  ...['paymentWorkflow', 'latePaymentWorkflow', 'webhookWorkflow', 'sweepWorkflow'].map((type) => `${type}: replayed`),
  'paymentWorkflow: continued as new',
  'paymentWorkflow: failed BOOKING_FAILED',
  ...['paymentWorkflow', 'latePaymentWorkflow', 'webhookWorkflow'].map((type) => `terminated: ${type}`),
  ...['openCheckout', 'verifyPayment', 'settlePayment', 'markForReview', 'bookLatePayment', 'deliverWebhook'].map(
    (activity) => `activity ${activity}: retried`,
  ),
  'activity verifyPayment: timed out',
  'activity deliverWebhook: timed out',
  'task: heartbeat',
  'task: timed out',
  'task: end refused for news',
  ...['api', 'worker-a', 'worker-b'].flatMap((process) => [`killed: ${process}`, `frozen: ${process}`]),
  'leap of the clock',
  'alert: payment-review',
  'alert: late-payment',
  'alert: unmatched-callback',
  'alert: webhook-parked',
  'alert: webhook-endpoint-disabled',
];
