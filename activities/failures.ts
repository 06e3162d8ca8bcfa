import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { LedgerConflict } from '../core/ledger/store.ts';
import { MissingRow } from '../database/missing-row.ts';
import { GatewayFailure } from '../gateways/port.ts';
import { describeError, type Logger } from '../runtime/logger.ts';
import { ROW_MISSING } from '../workflows/messages/names.ts';

/**
 * Runs an activity. Logs a failure whole, with its stack trace, and passes only a code and our own message on to Temporal.
 * @throws ApplicationFailure, or CancelledFailure if the activity was cancelled
 */
export async function guarded<T>(
  { log, activity, about = {} }: { log: Logger; activity: string; about?: Readonly<Record<string, unknown>> },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CancelledFailure) {
      throw withoutStack(error);
    }
    if (error instanceof MissingRow) {
      const { what, reference } = error;
      log.error(
        { activity, what, reference, alert: 'workflow-without-row' },
        'the row of a workflow does not exist; the workflow ends. Was an older backup restored?',
      );
    } else {
      log.warn({ activity, ...about, error: describeError(error) }, 'activity failed');
    }
    throw asApplicationFailure(error);
  }
}

/**
 * Converts an error for Temporal, which stores it in workflow histories and shows it to operators. Only codes and our own messages are passed on. Any
 * other error is replaced and its cause dropped, so that gateway text and database details never reach a history. Nor do stack traces, which name the
 * files of the installation.
 */
export function asApplicationFailure(error: unknown): ApplicationFailure {
  return withoutStack(error instanceof ApplicationFailure ? error : translated(error));
}

function withoutStack<Failure extends Error>(failure: Failure): Failure {
  failure.stack = '';
  return failure;
}

function translated(error: unknown): ApplicationFailure {
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
