import { GATEWAY_NAMES } from './booked.ts';
import { BILL_ACTS } from './bill-plan.ts';

/** Faults of processes, named after what happens to which process. `apis` and `workers` mean both at once. */
export const PROCESS_DIALS = [
  'kill-api',
  'kill-apis',
  'stop-api',
  'term-api',
  'kill-worker',
  'kill-workers',
  'stop-worker',
  'term-worker',
  'kill-temporal',
  'stop-temporal',
  'kill-simulator',
  'stop-simulator',
  'kill-receiver',
  'stop-receiver',
  'kill-postgres',
  'stop-postgres',
  'quit-postgres',
  'kill-backend',
  'kill-everything',
] as const;
export type ProcessDial = (typeof PROCESS_DIALS)[number];

/** How a receiver misbehaves, apart from being dead (`kill-receiver` and `stop-receiver`). */
export const RECEIVER_DIALS = [
  'receiver-500',
  'receiver-slow',
  'receiver-endless',
  'receiver-fails-after-accepting',
] as const;
export type ReceiverDial = (typeof RECEIVER_DIALS)[number];

/** What befalls the first attempts of events. */
export const DELIVERY_DIALS = ['kill-after-commit', 'kill-after-acceptance', 'receiver-hangs'] as const;
export type DeliveryDial = (typeof DELIVERY_DIALS)[number];

/** Each link stands for one TCP proxy for every pair of processes that it connects. */
export const LINKS = [
  'api>postgres',
  'worker>postgres',
  'api>temporal',
  'worker>temporal',
  'worker>gateway',
  'gateway>api',
  'worker>receiver',
] as const;
export type LinkName = (typeof LINKS)[number];

export const TOXICS = ['down', 'cut', 'reset', 'delay', 'half-open', 'slicer'] as const;
export type Toxic = (typeof TOXICS)[number];

/**
 * Rows of the simulator's table that an amount picks, each of which is a fault of the gateway. Rows that never end (such as a validation that hangs
 * forever) are omitted, except those that are repaired together with the other faults.
 */
export const GATEWAY_SCRIPTS = {
  decline: 2,
  unattempted: 4,
  silence: 10,
  'return-only': 11,
  'ipn-only': 12,
  'ipn-after-return': 14,
  'ipn-late': 15,
  'ipn-duplicate': 17,
  'timeout-after-charge': 18,
  'timeout-until-mended': 19,
  'wrong-amount': 20,
  'ipn-wrong-amount': 21,
  'wrong-currency': 22,
  'wrong-reference': 23,
  'bad-signature': 24,
  'absent-signature': 25,
  'md5-only': 26,
  risk: 27,
  'unknown-status-until-mended': 28,
  'pending-first': 29,
  'http-500': 30,
  'http-500-until-mended': 31,
  'garbage-html': 32,
  'garbage-empty': 33,
  'garbage-truncated': 34,
  'garbage-huge': 35,
  slow: 36,
  reset: 37,
  'api-inactive': 38,
  'ipn-unknown-status': 39,
  'session-failed': 40,
  'session-timeout-after': 41,
  'session-http-500': 43,
  'session-html': 44,
  'session-empty': 45,
  'session-truncated': 46,
  'session-huge': 47,
  'session-slow': 48,
  'query-down-until-mended': 52,
  'session-timeout-before': 53,
} as const;
export type GatewayScript = keyof typeof GATEWAY_SCRIPTS;
export const GATEWAY_SCRIPT_NAMES = Object.keys(GATEWAY_SCRIPTS) as readonly GatewayScript[];

/** Rows with a fault in a refund. The payment itself is charged normally. */
export const REFUND_SCRIPTS = {
  'refund-silent': 60,
  'refund-timeout-after': 61,
  'refund-refused': 62,
  'refund-long': 63,
  'refund-cancelled': 64,
  'refund-http-500': 65,
  'refund-html': 66,
  'refund-query-500': 67,
  'refund-address': 68,
  'refund-timeout-before': 69,
  'refund-failed': 70,
} as const;
export type RefundScript = keyof typeof REFUND_SCRIPTS;
export const REFUND_SCRIPT_NAMES = Object.keys(REFUND_SCRIPTS) as readonly RefundScript[];
/** Scripts with which the gateway plainly refuses the refund. */
export const REFUSING_SCRIPTS: ReadonlySet<string> = new Set<RefundScript>(['refund-refused', 'refund-address']);

/** Rows of the other simulators' tables, picked by the same kind of amounts. None of them has to be repaired to end. */
export const OTHER_SCRIPTS = {
  'bkash/decline': 2,
  'bkash/names-its-end': 7,
  'bkash/silence': 10,
  'bkash/execute-timeout': 18,
  'bkash/execute-late': 19,
  'bkash/wrong-amount': 20,
  'bkash/wrong-reference': 23,
  'bkash/execute-reset': 24,
  'bkash/execute-maintenance': 27,
  'bkash/query-lags': 29,
  'bkash/http-500': 30,
  'bkash/garbage-html': 32,
  'bkash/create-refused': 40,
  'bkash/create-truncated': 46,
  'bkash/cancel': 3,
  'bkash/refund-timeout': 61,
  'nagad/decline': 2,
  'nagad/silence': 10,
  'nagad/late-charge': 11,
  'nagad/stuck': 12,
  'nagad/timeout-after-charge': 18,
  'nagad/wrong-amount': 20,
  'nagad/wrong-merchant': 22,
  'nagad/wrong-order': 23,
  'nagad/return-lies': 26,
  'nagad/return-denies': 27,
  'nagad/pending-first': 29,
  'nagad/http-500': 30,
  'nagad/verify-refused': 38,
  'nagad/complete-refused': 40,
  'nagad/complete-timeout': 41,
  'stripe/delayed-succeeds': 3,
  'stripe/delayed-fails': 4,
  'stripe/expired': 6,
  'stripe/silence': 10,
  'stripe/event-duplicate': 15,
  'stripe/event-disorder': 16,
  'stripe/timeout-after-charge': 18,
  'stripe/wrong-amount': 20,
  'stripe/bad-signature': 24,
  'stripe/risk': 27,
  'stripe/http-500': 30,
  'stripe/create-timeout': 41,
  'stripe/create-500': 43,
  'stripe/refund-timeout': 61,
  'stripe/refund-pending': 63,
  'stripe/refund-failed': 64,
} as const;
export type OtherScript = keyof typeof OTHER_SCRIPTS;
export const OTHER_SCRIPT_NAMES = Object.keys(OTHER_SCRIPTS) as readonly OtherScript[];

/** Scripts with which the gateway refuses to open a page and says so. */
export const CREATION_REFUSED: ReadonlySet<string> = new Set<GatewayScript | OtherScript>([
  'session-failed',
  'bkash/create-refused',
  'nagad/complete-refused',
  // The gateway creates the order, but the answer with the page's address is lost. It then refuses a second order with this id.
  'nagad/complete-timeout',
]);

/** What payers do who choose their gateway: they change their mind, or pay at two gateways. */
export const CHOICE_ACTS = ['change-mind', 'pay-at-both'] as const;

/** Payments that no notice reports: the payer pays after cancelling or after expiry, and the browser never returns. */
export const UNSEEN_ACTS = ['cancel-then-pay-unseen', 'pay-after-expiry'] as const;

/** The course of a manual payment: what its payer submits, and what operators decide, when, and how many of them at once. */
export const MANUAL_ACTS = [
  'confirmed',
  'confirmed-at-once',
  'rejected',
  'corrected',
  'retyped',
  'torn',
  'dropped',
  'shared',
  'called-off',
  'confirmed-at-expiry',
  'rejected-at-expiry',
] as const;
export type ManualAct = (typeof MANUAL_ACTS)[number];

/** How a paid payment is refunded: by its application, by operators, or by both at once. */
export const REFUND_ACTS = [
  'part',
  'whole',
  'rush',
  'too-much',
  'mixed',
  'approved',
  'approved-at-once',
  'own-word',
  'rejected',
  'left',
] as const;
export type RefundAct = (typeof REFUND_ACTS)[number];

/** What happens to an unapplied payment: an operator refunds it or lets the application keep it, or the application's policy refunds it. */
export const LATE_ACTS = ['refund', 'keep', 'policy'] as const;
export type LateAct = (typeof LATE_ACTS)[number];

/** Callbacks that the gateway never sent, from someone who knows the order's number. */
export const FORGERIES = ['forged-ipn', 'forged-return', 'early-ipn'] as const;
export type Forgery = (typeof FORGERIES)[number];

/** Not a fault but something that a payer may cause: money for a payment that has ended. */
export const UNAPPLIED_MONEY = 'unapplied-money';

/** The database is restored to an older state under load. It has its own round, because it undoes so much. */
export const RESTORE = 'restore';

/** Every name that is counted and that `--only-dial` accepts. */
export const ALL_DIALS: readonly string[] = [
  ...PROCESS_DIALS,
  ...RECEIVER_DIALS,
  ...DELIVERY_DIALS,
  ...LINKS,
  ...TOXICS,
  ...[...GATEWAY_SCRIPT_NAMES, ...REFUND_SCRIPT_NAMES, ...OTHER_SCRIPT_NAMES].map((name) => `gateway:${name}`),
  ...CHOICE_ACTS.map((act) => `choice:${act}`),
  ...UNSEEN_ACTS.map((act) => `unseen:${act}`),
  ...MANUAL_ACTS.map((act) => `manual:${act}`),
  ...GATEWAY_NAMES.map((name) => `intent:${name}`),
  ...FORGERIES,
  UNAPPLIED_MONEY,
  ...REFUND_ACTS.map((act) => `refund:${act}`),
  ...LATE_ACTS.map((act) => `late:${act}`),
  ...BILL_ACTS.map((act) => `bill:${act}`),
  RESTORE,
];
