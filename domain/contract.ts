/** The published API contracts. A payment keeps the contract in which it was created: its events and its payer's return URL follow it. */
export const CONTRACTS = ['native', 'ownpay', 'shadhinpay'] as const;
export type Contract = (typeof CONTRACTS)[number];
