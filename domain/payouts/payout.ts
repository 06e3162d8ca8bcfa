/** The state of a payout: what its gateway says of it, or `EXPECTED` while only its lines are known. */
export const PAYOUT_STATUSES = ['EXPECTED', 'PENDING', 'PAID', 'FAILED', 'CANCELLED'] as const;
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

/** What a source holds: the lines of payouts, or the entries of a bank account. `api` is what the gateway's own API said. */
export const PAYOUT_SOURCE_KINDS = ['lines', 'statement', 'api'] as const;
export type PayoutSourceKind = (typeof PAYOUT_SOURCE_KINDS)[number];

export const PAYOUT_FORMATS = ['csv', 'xlsx', 'camt053', 'mt940', 'api'] as const;
export type PayoutFormat = (typeof PAYOUT_FORMATS)[number];

/**
 * `UPLOADING`: not all bytes have come, and nobody sees the file yet. `REFUSED`: the file as a whole cannot be read; lines that came before the fault
 * stay, as those of a `CANCELLED` file do.
 */
export const PAYOUT_FILE_STATES = ['UPLOADING', 'UPLOADED', 'IMPORTING', 'IMPORTED', 'REFUSED', 'CANCELLED'] as const;
export type PayoutFileState = (typeof PAYOUT_FILE_STATES)[number];
