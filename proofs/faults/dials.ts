/** What can be done to a process. The names say what happens to whom; `apis` and `workers` are both at once. */
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

/** How a receiver misbehaves besides being dead, which is `kill-receiver` and `stop-receiver`. */
export const RECEIVER_DIALS = [
  'receiver-500',
  'receiver-slow',
  'receiver-endless',
  'receiver-fails-after-accepting',
] as const;
export type ReceiverDial = (typeof RECEIVER_DIALS)[number];

/** Each stands for one TCP proxy for every pair of processes that it joins. */
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
 * Rows of the simulator's table that an amount picks, each a trouble of the gateway's. Rows that never end (a validation that hangs for ever)
 * are left out, except those that are mended together with the other faults.
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

/** Rows that trouble a refund; the payment is charged like any other. */
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
/** With these the gateway says plainly that it gives nothing back. */
export const REFUSING_SCRIPTS: ReadonlySet<string> = new Set<RefundScript>(['refund-refused', 'refund-address']);

/** How a paid payment is given back: by its application, by operators, or by both at once. */
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

/** What becomes of late money: an operator gives it back or lets the application keep it, or the application's policy gives it back. */
export const LATE_ACTS = ['refund', 'keep', 'policy'] as const;
export type LateAct = (typeof LATE_ACTS)[number];

/** Callbacks that the gateway never sent, from somebody who knows the order's number. */
export const FORGERIES = ['forged-ipn', 'forged-return', 'early-ipn'] as const;
export type Forgery = (typeof FORGERIES)[number];

/** Not a fault but what a payer may bring about: money for a payment that has ended. */
export const LATE_MONEY = 'late-money';

/** Every name that is counted, and that `--only-dial` takes. */
export const ALL_DIALS: readonly string[] = [
  ...PROCESS_DIALS,
  ...RECEIVER_DIALS,
  ...LINKS,
  ...TOXICS,
  ...[...GATEWAY_SCRIPT_NAMES, ...REFUND_SCRIPT_NAMES].map((name) => `gateway:${name}`),
  ...FORGERIES,
  LATE_MONEY,
  ...REFUND_ACTS.map((act) => `refund:${act}`),
  ...LATE_ACTS.map((act) => `late:${act}`),
];
