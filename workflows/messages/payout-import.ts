import type { PayoutFileState } from '../../domain/payouts/payout.ts';
import type { ReconciliationInput } from './reconciliation.ts';

export interface PayoutImportInput {
  /** The file's public reference. */
  readonly reference: string;
}

/** What became of the file. Codes and numbers only: a file's name and its text never reach a history. */
export interface PayoutImportOutcome {
  readonly state: Extract<PayoutFileState, 'IMPORTED' | 'REFUSED' | 'CANCELLED'>;
  /** Why the file was refused. */
  readonly problem: string | null;
  readonly rowsRead: number;
  readonly linesAdded: number;
  readonly linesKnown: number;
  readonly linesRejected: number;
}

export interface PayoutImportActivities {
  /** Stores what the file says. Called again, it goes on where it stopped. */
  importPayoutFile(input: PayoutImportInput): Promise<PayoutImportOutcome>;
  /** Returns the days that what was stored belongs to, oldest first. */
  daysOfImport(input: PayoutImportInput): Promise<ReconciliationInput[]>;
  /** Ends an import that has not ended. What was stored stays. */
  cancelPayoutImport(input: PayoutImportInput): Promise<PayoutImportOutcome>;
}
