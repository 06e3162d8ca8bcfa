import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { LedgerTransaction } from '../../../domain/ledger.ts';
import {
  completePosting,
  insertedTransaction,
  POSTED,
  postingTransaction,
  type InsertedTransaction,
} from '../../ledger/store.ts';
import {
  eventRow,
  recordingAs,
  recordingEvent,
  type EventRow,
  type NewEvent,
  type RecordedEvent,
} from '../../webhooks/store/events.ts';

const POST_AND_RECORD = statement((db, $: Given<InsertedTransaction & EventRow>) =>
  recordingEvent(
    postingTransaction(db, (name) => $(name)),
    (name) => $(name),
  ).select([...POSTED]),
);

/**
 * Posts a charge and records its event in one statement, as `postTransaction` and `recordEvent` do in two.
 * @throws RangeError and LedgerConflict as `postTransaction` does
 */
export async function postAndRecord(
  statements: Statements,
  { transaction, event }: { readonly transaction: LedgerTransaction; readonly event: NewEvent },
): Promise<RecordedEvent> {
  const row = eventRow(event);
  return recordingAs(row, async () => {
    const written = await POST_AND_RECORD.first(statements, { ...insertedTransaction(transaction), ...row });
    if (written !== undefined) {
      await completePosting(statements, transaction, written);
    }
    return written;
  });
}
