/*
 * What bKash's codes mean for us. Source: the published error list; what is in no set here says nothing plainly, least of
 * all that no money moved.
 */

export const SUCCESS = '0000';
export const PAYMENT_NOT_FOUND = '2002';

/** A creation that will never be accepted as it stands: amount, currency, intent, references, URL, mode, a missing member, permission. */
export const REFUSES_CREATION: ReadonlySet<string> = new Set([
  '2006',
  '2007',
  '2008',
  '2025',
  '2029',
  '2031',
  '2039',
  '2048',
  '2049',
  '2063',
  '2064',
  '2065',
  '2067',
]);

/** An execution that came after another one: that one's money is what the query shows. */
export const EXECUTED_BEFORE: ReadonlySet<string> = new Set(['2062', '2068', '2117', '2119']);

/** An execution that failed for the payer: wallet, one-time password, PIN, balance, account. He needs a new payment. */
export const DECLINED: ReadonlySet<string> = new Set([
  '2009',
  '2010',
  '2011',
  '2014',
  '2015',
  '2017',
  '2018',
  '2019',
  '2023',
  '2037',
  '2057',
  '2058',
]);

export const CANCELLED_BEFORE = '2069';
/** The payer has not finished on the page. */
export const TOO_EARLY = '2060';
export const WRONG_STATE = '2056';
/** The gateway takes it for a payment that was made a moment ago, and is not to be asked again by a machine. */
export const DUPLICATE = '2029';

/** A refund that was certainly not carried out. */
export const REFUSES_REFUND: ReadonlySet<string> = new Set(
  [
    ['2002', '2006', '2007', '2026', '2028', '2033', '2034', '2035', '2037', '2039', '2042', '2065', '2067'],
    ['2071', '2072', '2073', '2074', '2075', '2076', '2077', '2078', '2080', '2081', '2082'],
  ].flat(),
);

/** Asked about a refund, the gateway knows none. */
export const NO_REFUND: ReadonlySet<string> = new Set(['2028', '2033']);
