import type { PayoutColumns } from '../kit/payouts/files.ts';
import { feeOnTop } from '../kit/payouts/movements.ts';
import type { Movement, MovementKind, PayoutSource } from '../kit/payouts/movements.ts';
import { decimalOf, sumOf, unitsOf } from '../kit/payouts/units.ts';

const places = 2;
const offsetMinutes = 360;

/** bKash tells its fee only with the payout, and pays out the next day, but not on Friday and Saturday. */
export const payoutSource: PayoutSource = {
  gateway: 'bkash',
  offsetMinutes,
  defaults: {
    feeBps: 150,
    feeFixed: 0,
    vatBps: 0,
    delayDays: 1,
    closedWeekdays: [5, 6],
    holidays: [],
    negative: 'carry',
    reserveBps: 0,
    reserveDays: 30,
    disputeFee: 0,
  },
  placesOf: () => places,
  settle({ amount, currency }, settings) {
    const gross = unitsOf(amount, places);
    return { currency, gross, ...feeOnTop(gross, settings) };
  },
  lineId: (_kind, { sourceId, letters }) => (sourceId === '' ? letters.slice(0, 10).toUpperCase() : sourceId),
  payoutId: (letters) => `PO${letters.slice(0, 10).toUpperCase()}`,
  disputeId: (letters) => letters.slice(0, 10).toUpperCase(),
  foreign(letters) {
    const trxId = letters(10).toUpperCase();
    return { sourceId: trxId, bankTranId: trxId, tranId: letters(20), valId: `TR0011${letters(8)}` };
  },
  refundsCount: 'at-end',
  namesCurrency: false,
};

type Words = { headings: readonly string[]; kinds: Readonly<Record<MovementKind, string>>; total: string };

const english: Words = {
  headings: [
    'SL',
    'Trx Id',
    'Transaction Date',
    'Trx Type',
    'Sender',
    'Receiver',
    'Receiver Name',
    'Reference',
    'Transacted Amount',
    'Fee',
    'Balance',
  ],
  kinds: {
    charge: 'Payment',
    refund: 'Refund',
    refund_failure: 'Refund Reversal',
    dispute: 'Dispute',
    dispute_reversal: 'Dispute Reversal',
    reserve_hold: 'Reserve',
    reserve_release: 'Reserve Release',
    payout_reversal: 'Payout Return',
  },
  total: 'Total',
};

const bangla: Words = {
  headings: [
    'ক্রমিক',
    'লেনদেন আইডি',
    'লেনদেনের তারিখ',
    'লেনদেনের ধরন',
    'প্রেরক',
    'প্রাপক',
    'প্রাপকের নাম',
    'রেফারেন্স',
    'লেনদেনের পরিমাণ',
    'ফি',
    'ব্যালেন্স',
  ],
  kinds: { ...english.kinds, charge: 'পেমেন্ট', refund: 'রিফান্ড' },
  total: 'মোট',
};

/** A merchant's statement. What its type says is not repeated by a sign: a refund is written without one. */
export function payoutColumns(options: { bangla: boolean }): PayoutColumns {
  const words = options.bangla ? bangla : english;
  const digits = options.bangla ? banglaDigits : (text: string): string => text;
  const amount = (units: bigint): string => digits(grouped(decimalOf(units, places)));
  const signed = ({ kind, gross }: Movement): bigint => (kind === 'refund' ? -gross : gross);
  return {
    headings: words.headings,
    row: (line, payout, { number, balance }) => [
      digits(String(number)),
      line.lineId,
      digits(dayFirst(line.at)),
      words.kinds[line.kind],
      line.kind === 'charge' ? '01770618575' : payout.owner,
      line.kind === 'charge' ? payout.owner : '01770618575',
      payout.owner,
      line.tranId,
      amount(signed(line)),
      amount(line.fee + line.tax),
      amount(balance),
    ],
    total: (lines) => {
      const fees = sumOf(lines.map(({ fee, tax }) => fee + tax));
      return [
        words.total,
        '',
        '',
        '',
        '',
        '',
        '',
        '',
        amount(sumOf(lines.map(({ gross }) => gross))),
        amount(fees),
        '',
      ];
    },
  };
}

function dayFirst(atMs: number): string {
  const [date = '', time = ''] = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, 19).split('T');
  return `${date.split('-').toReversed().join('/')} ${time}`;
}

/** Writes thousands and lakhs apart: `1234567.50` is `12,34,567.50`. */
function grouped(decimal: string): string {
  return decimal.replaceAll(/(?<=\d)(?=(?:\d{2})*\d{3}\.)/g, ',');
}

function banglaDigits(text: string): string {
  return text.replaceAll(/\d/g, (digit) => String.fromCharCode(0x09e6 + Number(digit)));
}
