import type { PayoutColumns } from '../kit/payouts/files.ts';
import { feeOnTop, netOf } from '../kit/payouts/movements.ts';
import type { PayoutSource } from '../kit/payouts/movements.ts';
import { decimalOf, unitsOf } from '../kit/payouts/units.ts';
import { dhakaDateTime } from './identifiers.ts';

const places = 2;

/** Nagad tells its fee only with the payout, with the tax on it, and rests on Friday and Saturday. */
export const payoutSource: PayoutSource = {
  gateway: 'nagad',
  offsetMinutes: 360,
  defaults: {
    feeBps: 145,
    feeFixed: 0,
    vatBps: 1_500,
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
  lineId: (kind, { letters }) => `${kind === 'charge' ? 'P' : 'A'}${letters.slice(0, 15).toUpperCase()}`,
  payoutId: (letters) => `NPO${letters.slice(0, 12).toUpperCase()}`,
  disputeId: (letters) => `NDP${letters.slice(0, 12).toUpperCase()}`,
  foreign(letters) {
    const valId = Buffer.from(letters(30)).toString('base64');
    return { sourceId: valId, valId, tranId: letters(20), bankTranId: letters(8).toUpperCase() };
  },
  refundsCount: 'at-end',
  namesCurrency: true,
};

/** Columns of our own, because Nagad publishes none. */
export function payoutColumns(): PayoutColumns {
  return {
    headings: [
      'Settlement Date',
      'Payout ID',
      'Line ID',
      'Transaction Time',
      'Type',
      'Order ID',
      'Transaction ID',
      'Currency',
      'Amount',
      'Fee',
      'VAT',
      'Net',
      'Original Currency',
      'Rate',
    ],
    row: (line, payout) => [
      payout.on,
      payout.id,
      line.lineId,
      dhakaDateTime(line.at).slice(0, 19),
      line.kind,
      line.tranId,
      line.bankTranId,
      line.currency,
      decimalOf(line.gross, places),
      decimalOf(line.fee, places),
      decimalOf(line.tax, places),
      decimalOf(netOf(line), places),
      line.original?.currency ?? '',
      line.original?.rate ?? '',
    ],
  };
}
