/*
 * The meaning of bKash's codes. Source: the published error list. A code in none of these sets has no clear meaning; above all it does not mean that
 * no money moved.
 */

export const SUCCESS = '0000';
export const PAYMENT_NOT_FOUND = '2002';

/** A create request that will never be accepted as it is: amount, currency, intent, references, URL, mode, missing field, permission. */
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

/** The payment was executed before. The query shows the money of that execution. */
export const EXECUTED_BEFORE: ReadonlySet<string> = new Set(['2062', '2068', '2117', '2119']);

/** The execution failed for the payer: wallet, one-time password, PIN, balance or account. The payer needs a new payment. */
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
/** The payer has not completed the page. */
export const TOO_EARLY = '2060';
export const WRONG_STATE = '2056';
/** bKash takes the request for a duplicate of a payment made a moment ago. It must not be retried automatically. */
export const DUPLICATE = '2029';

/** The refund was certainly not carried out. */
export const REFUSES_REFUND: ReadonlySet<string> = new Set(
  [
    ['2002', '2006', '2007', '2026', '2028', '2033', '2034', '2035', '2037', '2039', '2042', '2065', '2067'],
    ['2071', '2072', '2073', '2074', '2075', '2076', '2077', '2078', '2080', '2081', '2082'],
  ].flat(),
);

/** The answer to a query for a refund that does not exist. */
export const NO_REFUND: ReadonlySet<string> = new Set(['2028', '2033']);
