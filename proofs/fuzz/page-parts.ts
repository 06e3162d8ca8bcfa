import type { Subject } from './subject.ts';

interface PagePart {
  readonly name: string;
  /** The command's argument. */
  readonly as: string;
  readonly order: number;
  readonly title: string;
  /** Ends the sentence that says how many cases there were. */
  readonly without: string;
  /** Ends the sentence that begins with "What no schema can say is told to the generator:". */
  readonly generator: string;
}

const NATIVE_GENERATOR =
  'numbers such as `10000.0`, integers to JSON Schema and refused by our strict reading, are ' +
  'sent as `10000`; the coverage phase gets a fresh `Idempotency-Key` with each body; each request comes from an address of its own, so that limits a minute are not met; of an invoice the sums and days are made to fit ' +
  'each other, and it is due in one of its three ways; a logo has an address that can be fetched, a cursor is one that was given, and a payment of an invoice ' +
  'asks for the least. How what does not fit is refused, test/api/invoices shows.';

const EVERY_CHECK = 'with every check on, no operation and no check left out';

/** How each subject's result appears on the page of proofs. */
export const PAGE_PARTS: Readonly<Record<Subject['name'], PagePart>> = {
  applications: {
    name: 'fuzz',
    as: '',
    order: 40,
    title: 'The API contract under fire',
    without: EVERY_CHECK,
    generator: NATIVE_GENERATOR,
  },
  operators: {
    name: 'fuzz-operators',
    as: '--as operators ',
    order: 41,
    title: 'The operators’ contract under fire',
    without: 'as a Super Admin over payments and refunds that were made before, by turns in thirty sessions',
    generator: NATIVE_GENERATOR,
  },
  ownpay: {
    name: 'fuzz-ownpay',
    as: '--as ownpay ',
    order: 42,
    title: 'OwnPay’s contract under fire',
    without: EVERY_CHECK,
    generator:
      'an intent is in BDT, from 100 to 20,000 with two decimals, and names a gateway that there is, but for one in five; a refund is of a transaction ' +
      'that was paid before, small enough that something is left, or once of all that is left. Each body has a fresh `Idempotency-Key`, each request an ' +
      'address of its own. How what does not fit is refused, test/api/ownpay shows.',
  },
  shadhinpay: {
    name: 'fuzz-shadhinpay',
    as: '--as shadhinpay ',
    order: 43,
    title: 'ShadhinPay’s contract under fire',
    without: EVERY_CHECK,
    generator:
      'a payment is of 100 to 20,000 BDT, and says sandbox where it says anything of it; a refund is of a payment that was ' +
      'paid before, small enough that something is left, or once of all that is left; an invoice’s items cost 20 BDT each, its expiry is tomorrow. The coverage phase gets a fresh `X-Idempotency-Key` and ' +
      '`merchantTxnId` with each body; each request comes from an address of its own. How what does not fit is refused, test/api/shadhinpay shows.',
  },
};
