import { toDecimalText } from '../../../domain/money.ts';
import type { BankStatement } from '../../../domain/payouts/bank-entry.ts';
import { UnreadableFile } from './unreadable-file.ts';

/**
 * Returns the statement if its opening balance and its entries add up to its closing balance, so that no entry is missing.
 *
 * @throws UnreadableFile BALANCE_DIFFERS
 */
export function balanced(statement: BankStatement): BankStatement {
  const { currency, openingMinor, closingMinor, entries } = statement;
  const reached = entries.reduce((sum, { amountMinor }) => sum + amountMinor, openingMinor);
  if (reached !== closingMinor) {
    const [stated, found] = [closingMinor, reached].map((amountMinor) => toDecimalText({ amountMinor, currency }));
    throw new UnreadableFile(
      'BALANCE_DIFFERS',
      `A statement closes at ${stated} ${currency}, but its opening balance and entries add up to ${found}.`,
    );
  }
  return statement;
}
