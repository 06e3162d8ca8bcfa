import type { PayoutColumns } from '../kit/payouts/files.ts';
import { feeWithin, netOf } from '../kit/payouts/movements.ts';
import type { Movement, PayoutSource } from '../kit/payouts/movements.ts';
import { decimalOf, unitsOf } from '../kit/payouts/units.ts';
import { dhakaDateTime } from './identifiers.ts';

const places = 2;

/** SSLCOMMERZ tells its fee with the charge, pays out what is left of it in whole paisa, and rests on Friday and Saturday. */
export const payoutSource: PayoutSource = {
  gateway: 'sslcommerz',
  offsetMinutes: 360,
  defaults: {
    feeBps: 0,
    feeFixed: 0,
    vatBps: 0,
    delayDays: 2,
    closedWeekdays: [5, 6],
    holidays: [],
    negative: 'carry',
    reserveBps: 0,
    reserveDays: 30,
    disputeFee: 0,
  },
  placesOf: () => places,
  settle({ amount, storeAmount, currency }, settings) {
    const gross = unitsOf(amount, places);
    return { currency, gross, ...feeWithin(gross - unitsOf(storeAmount ?? amount, places), settings) };
  },
  lineId: (kind, { sourceId, letters }) => (sourceId === '' ? `${kind}-${letters.slice(0, 8)}` : sourceId),
  payoutId: (letters) => `SETT${letters.slice(0, 12).toUpperCase()}`,
  disputeId: (letters) => `DISP${letters.slice(0, 12).toUpperCase()}`,
  foreign(letters) {
    const valId = letters(27);
    return { sourceId: valId, valId, tranId: letters(20), bankTranId: letters(27) };
  },
  refundsCount: 'at-end',
  namesCurrency: false,
};

/** What settles on a day, in the fields of the settlement records. */
export function settlementFields(
  line: Movement,
  on: string,
): Record<'transactionID' | 'sett_date' | 'tran_date' | 'cr_amount', string> {
  return {
    transactionID: line.tranId,
    sett_date: on,
    tran_date: dhakaDateTime(line.at),
    cr_amount: decimalOf(netOf(line), places),
  };
}

export function payoutColumns(): PayoutColumns {
  return {
    headings: ['transactionID', 'bank_tran_id', 'tran_date', 'sett_date', 'cr_amount'],
    row(line, { on }) {
      const { transactionID, sett_date: settled, tran_date: made, cr_amount: amount } = settlementFields(line, on);
      return [transactionID, line.bankTranId, made, settled, amount];
    },
  };
}
