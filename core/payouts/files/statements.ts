import type { BankStatement } from '../../../domain/payouts/bank-entry.ts';
import type { PayoutFormat } from '../../../domain/payouts/payout.ts';
import { readCamt053 } from './camt053.ts';
import { readMt940 } from './mt940.ts';
import { STATEMENT_LIMITS, type StatementLimits } from './statement-limits.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** The formats in which banks send statements. */
export const STATEMENT_FORMATS = ['camt053', 'mt940'] as const satisfies readonly PayoutFormat[];

/** @throws UnreadableFile */
export async function readStatements(
  bytes: AsyncIterable<Uint8Array>,
  format: PayoutFormat,
  limits: StatementLimits = STATEMENT_LIMITS,
): Promise<readonly BankStatement[]> {
  const statements = await readAs(format, bytes, limits);
  if (statements.length > limits.statements) {
    throw new UnreadableFile('TOO_MANY_LINES', `The file has more than ${limits.statements} statements.`);
  }
  return statements;
}

function readAs(
  format: PayoutFormat,
  bytes: AsyncIterable<Uint8Array>,
  limits: StatementLimits,
): Promise<readonly BankStatement[]> {
  switch (format) {
    case 'camt053':
      return readCamt053(bytes, limits);
    case 'mt940':
      return readMt940(bytes, limits);
    default:
      throw new Error(`${format} is no format of a bank statement`);
  }
}
