import { Context } from '@temporalio/activity';
import { cancelImport, importFile } from '../core/payouts/import-file.ts';
import { daysOfImport } from '../core/payouts/days-of-import.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import { describeError } from '../runtime/logger.ts';
import type { PayoutImportActivities } from '../workflows/messages/payout-import.ts';
import { asApplicationFailure } from './failures.ts';

type PayoutDependencies = Pick<CoreDependencies, 'database' | 'calendar' | 'log'>;

export function createPayoutActivities(deps: PayoutDependencies): PayoutImportActivities {
  return {
    async importPayoutFile({ reference }) {
      const context = Context.current();
      try {
        return await importFile(deps, {
          reference,
          signal: context.cancellationSignal,
          onProgress: (rowsRead) => context.heartbeat({ rowsRead }),
        });
      } catch (error) {
        if (context.cancellationSignal.aborted) {
          return await context.cancelled;
        }
        deps.log.error({ file: reference, error: describeError(error) }, 'payout file not imported');
        throw asApplicationFailure(error);
      }
    },
    async daysOfImport({ reference }) {
      try {
        return await daysOfImport(deps, reference);
      } catch (error) {
        throw asApplicationFailure(error);
      }
    },
    async cancelPayoutImport({ reference }) {
      try {
        return await cancelImport(deps, reference);
      } catch (error) {
        throw asApplicationFailure(error);
      }
    },
  };
}
