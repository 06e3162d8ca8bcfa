import { ApplicationFailure } from '@temporalio/common';
import { LedgerConflict } from '../core/ledger/store.ts';
import { MissingRow } from '../database/missing-row.ts';
import { GatewayFailure } from '../gateways/port.ts';
import { ROW_MISSING } from '../workflows/messages/names.ts';

/**
 * Converts an error for Temporal, which stores it in workflow histories. Only codes and our own messages are passed on. Any other error is replaced
 * and its cause dropped, so that gateway text and database details never reach a history.
 */
export function asApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) {
    return error;
  }
  if (error instanceof GatewayFailure) {
    return ApplicationFailure.create({
      type: `GATEWAY_${error.kind.toUpperCase().replace('-', '_')}`,
      message: error.message,
      ...(error.kind === 'rate-limited' ? { nextRetryDelay: '10s' } : {}),
    });
  }
  if (error instanceof LedgerConflict) {
    return ApplicationFailure.create({
      type: 'LEDGER_CONFLICT',
      message: 'the ledger already has a different transaction for this cause',
      nonRetryable: true,
    });
  }
  if (error instanceof MissingRow) {
    return ApplicationFailure.create({
      type: ROW_MISSING,
      message: `the database has no such ${error.what}`,
      nonRetryable: true,
    });
  }
  return ApplicationFailure.create({ type: 'INTERNAL_ERROR', message: 'an internal error; see the log' });
}
