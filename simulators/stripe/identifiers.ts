import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function letters(count: number): string {
  return [...randomBytes(count)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

export const newSessionId = (live: boolean): string => `cs_${live ? 'live' : 'test'}_a1${letters(56)}`;
export const newIntentId = (): string => `pi_3${letters(23)}`;
export const newChargeId = (): string => `ch_3${letters(23)}`;
export const newBalanceTransactionId = (): string => `txn_3${letters(23)}`;
export const newRefundId = (): string => `re_3${letters(23)}`;
export const newEventId = (): string => `evt_1${letters(23)}`;
export const newRequestId = (): string => `req_${letters(14)}`;
