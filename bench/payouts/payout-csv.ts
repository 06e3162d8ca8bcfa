const PAYOUTS = 100;
const LINES_OF_PIECE = 1_000;

/** The columns of the files that are imported here. */
export const MAPPING = {
  version: 1,
  format: 'csv',
  columns: {
    payoutReference: { headings: ['payout'] },
    attemptReference: { headings: ['attempt'] },
    gatewayTxnId: { headings: ['txn'] },
    gross: { headings: ['gross'] },
    fee: { headings: ['fee'] },
    net: { headings: ['net'] },
    occurredAt: { headings: ['at'] },
    paidOutOn: { headings: ['day'] },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'year-first',
} as const;

/** Yields a file of so many lines. Files with different first numbers have no line in common. */
export function* payoutCsv({ lines, firstNumber = 0 }: { lines: number; firstNumber?: number }): Generator<Buffer> {
  yield Buffer.from('payout,attempt,txn,gross,fee,net,at,day\n');
  for (let first = 0; first < lines; first += LINES_OF_PIECE) {
    const count = Math.min(LINES_OF_PIECE, lines - first);
    yield Buffer.from(Array.from({ length: count }, (_, index) => row(firstNumber + first + index)).join(''));
  }
}

function row(number: number): string {
  const name = number.toString(36).padStart(20, 'A');
  const at = new Date(Date.UTC(2026, 9, 1) + number * 1_000).toISOString().slice(0, 19).replace('T', ' ');
  const payout = `SETTLE-${1_000 + (number % PAYOUTS)}`;
  return `${payout},${name},TXN${name},${100 + (number % 900)}.00,2.50,${97 + (number % 900)}.50,${at},2026-11-03\n`;
}
