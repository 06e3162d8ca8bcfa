/** What a bank statement may cost to read. It is held in memory as a whole: its balances have to agree before any entry counts. */
export interface StatementLimits {
  readonly fileBytes: number;
  readonly entries: number;
  readonly statements: number;
}

export const STATEMENT_LIMITS: StatementLimits = { fileBytes: 16 * 1024 * 1024, entries: 50_000, statements: 10_000 };
