import type { BankStatement } from '../../../domain/payouts/bank-entry.ts';
import type { PayoutFormat } from '../../../domain/payouts/payout.ts';
import { readCamt053 } from './camt053.ts';
import { readMt940 } from './mt940.ts';

/** The formats in which banks send statements. */
export const STATEMENT_FORMATS = ['camt053', 'mt940'] as const satisfies readonly PayoutFormat[];

/** @throws UnreadableFile */
export function readStatements(
  bytes: AsyncIterable<Uint8Array>,
  format: PayoutFormat,
): Promise<readonly BankStatement[]> {
  switch (format) {
    case 'camt053':
      return readCamt053(bytes);
    case 'mt940':
      return readMt940(bytes);
    default:
      throw new Error(`${format} is no format of a bank statement`);
  }
}
