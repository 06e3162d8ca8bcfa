/** The behaviour of a test card as published by the gateway. */
export type Card = {
  about: string;
  brand: string;
  /** Why the card is declined; absent means it is charged. */
  declined?: { code: string; declineCode?: string; message: string };
  /** Asks the payer to confirm. */
  authenticates?: boolean;
  riskLevel?: 'normal' | 'elevated' | 'highest';
};

const declined = (declineCode: string, message = 'Your card was declined.'): NonNullable<Card['declined']> => ({
  code: 'card_declined',
  declineCode,
  message,
});

/** Source: the published list of test cards. */
export const cards: Readonly<Record<string, Card>> = {
  '4242424242424242': { about: 'is charged', brand: 'visa' },
  '5555555555554444': { about: 'is charged', brand: 'mastercard' },
  '378282246310005': { about: 'is charged', brand: 'amex' },
  '4000000000000002': { about: 'is declined', brand: 'visa', declined: declined('generic_decline') },
  '4000000000009995': {
    about: 'has too little money',
    brand: 'visa',
    declined: declined('insufficient_funds', 'Your card has insufficient funds.'),
  },
  '4000000000000069': {
    about: 'has expired',
    brand: 'visa',
    declined: { code: 'expired_card', message: 'Your card has expired.' },
  },
  '4000000000000127': {
    about: 'has another security code',
    brand: 'visa',
    declined: { code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  },
  '4000000000000119': {
    about: 'cannot be processed',
    brand: 'visa',
    declined: { code: 'processing_error', message: 'An error occurred while processing your card.' },
  },
  '4000002500003155': { about: 'asks the payer to confirm', brand: 'visa', authenticates: true },
  '4000002760003184': { about: 'asks the payer to confirm', brand: 'visa', authenticates: true },
  '4000008400001629': {
    about: 'asks the payer to confirm, and is declined then',
    brand: 'visa',
    authenticates: true,
    declined: declined('generic_decline'),
  },
  '4000000000009235': { about: 'is charged with an elevated risk', brand: 'visa', riskLevel: 'elevated' },
  '4100000000000019': {
    about: 'is blocked as fraudulent',
    brand: 'visa',
    declined: declined('fraudulent'),
    riskLevel: 'highest',
  },
};

/** Accounts of the delayed method: the money arrives, or fails to arrive, some time after the payer has left. */
export const bankAccounts: Readonly<Record<string, 'succeeded' | 'failed' | 'stays'>> = {
  '000123456789': 'succeeded',
  '000111111116': 'failed',
  '000000000000': 'stays',
};

export const goodCard = '4242424242424242';
export const goodAccount = '000123456789';
