import type { Code } from './codes.ts';

/** The sandbox's wallets according to third parties; bKash itself publishes none. Any other number is also a wallet that can pay. */
export const payingWallets = [
  '01770618575',
  '01929918378',
  '01770618576',
  '01877722345',
  '01619777282',
  '01619777283',
] as const;

/** Wallets whose payer can agree, but whose payment then fails with this code. */
export const declinedWallets: Readonly<Record<string, Code>> = { '01823074817': '2023', '01823074818': '2037' };

export const rightOtp = '123456';
export const rightPin = '12121';
export const wrongPinsMax = 3;

export function isWallet(text: string): boolean {
  return /^01[3-9]\d{8}$/.test(text);
}
