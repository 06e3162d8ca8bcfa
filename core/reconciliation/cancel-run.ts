import { DomainError, notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { findRun, type RunRow } from './store/runs.ts';

/**
 * Asks the workflow of a run to stop, which ends the run within seconds.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if it has ended
 */
export async function cancelOwnRun(
  { database, dispatch }: Pick<CoreDependencies, 'database' | 'dispatch'>,
  caller: ActingOperator,
  reference: string,
): Promise<RunRow> {
  const run = await database.withOperator(caller.view, async (em) => {
    const found = await findRun(em, reference);
    if (found === null) {
      throw notFound('run');
    }
    if (found.state !== 'RUNNING') {
      throw new DomainError('INVALID_OPERATION_STATE', 'The run has ended.');
    }
    await recordAudit(em, {
      actor: caller.actor,
      action: 'reconciliation.cancelled',
      target: { type: 'reconciliation-run', id: reference },
    });
    return found;
  });
  await dispatch.cancelReconciliation(run);
  return run;
}
