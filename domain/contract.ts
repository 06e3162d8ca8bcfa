/** The published contracts over the one core. A payment keeps the one in which it was made: its events and its payer's way back speak it. */
export const CONTRACTS = ['native', 'ownpay', 'shadhinpay'] as const;
export type Contract = (typeof CONTRACTS)[number];
