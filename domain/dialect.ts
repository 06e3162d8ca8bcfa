/** The published contracts over the one core. A payment keeps the one in which it was made: its events and its payer's way back speak it. */
export const DIALECTS = ['native', 'ownpay', 'shadhinpay'] as const;
export type Dialect = (typeof DIALECTS)[number];
