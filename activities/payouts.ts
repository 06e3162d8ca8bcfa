import { Context } from '@temporalio/activity';
import { cancelImport, importFile } from '../core/payouts/import-file.ts';
import { daysOfImport } from '../core/payouts/days-of-import.ts';
import type { CoreDependencies } from '../core/dependencies.ts';
import type { PayoutImportActivities } from '../workflows/messages/payout-import.ts';
import { guarded } from './failures.ts';

/** Rests, and rows that are stored already, are no progress and no death either. */
const HEARTBEAT_MS = 4_000;

type PayoutDependencies = Pick<CoreDependencies, 'database' | 'calendar' | 'log'>;

export function createPayoutActivities(deps: PayoutDependencies): PayoutImportActivities {
  const run = <T>(
    { reference }: { readonly reference: string },
    activity: string,
    work: () => Promise<T>,
  ): Promise<T> => guarded({ log: deps.log, activity, about: { file: reference } }, work);
  return {
    async importPayoutFile(input) {
      const { cancellationSignal: signal, cancelled, heartbeat } = Context.current();
      let progress: { readonly rowsRead: number } | undefined;
      const beating = setInterval(() => heartbeat(progress), HEARTBEAT_MS);
      const onProgress = (rowsRead: number): void => {
        progress = { rowsRead };
        heartbeat(progress);
      };
      return run(input, 'importPayoutFile', () =>
        importFile(deps, { ...input, signal, onProgress }).catch((error: unknown) => {
          if (signal.aborted) {
            return cancelled;
          }
          throw error;
        }),
      ).finally(() => clearInterval(beating));
    },
    daysOfImport: (input) => run(input, 'daysOfImport', () => daysOfImport(deps, input.reference)),
    cancelPayoutImport: (input) => run(input, 'cancelPayoutImport', () => cancelImport(deps, input.reference)),
  };
}
