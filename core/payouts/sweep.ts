import type { CoreDependencies } from '../dependencies.ts';
import type { PayoutFileHandle } from '../dispatch.ts';
import { attempt, BATCH_MAX, SWEEP_MAX_MS, type Sweep } from '../sweep/engine.ts';
import { lockAbandonedUpload, takeDueImports } from './store/due.ts';
import { removeUpload } from './store/files.ts';

/** Starts imports that were never started or whose workflow is lost. Starting one that runs has no effect. */
export function duePayoutImports(deps: CoreDependencies): Sweep<PayoutFileHandle> {
  return {
    due: (em) => takeDueImports(em, BATCH_MAX),
    drive: (file) =>
      attempt(deps, { file: file.reference, what: 'payout import not started' }, () =>
        deps.dispatch.startPayoutImport(file),
      ),
  };
}

/** Removes what is left of uploads that broke off when their process died. Returns how many it removed. */
export async function removeAbandonedUploads({ database }: Pick<CoreDependencies, 'database'>): Promise<number> {
  const stopAtMs = Date.now() + SWEEP_MAX_MS;
  for (let removed = 0; ;) {
    const step = await database.withSystem(async (em) => {
      const fileId = await lockAbandonedUpload(em);
      return fileId === null ? 'none' : (await removeUpload(em, fileId)) ? 'removed' : 'some left';
    });
    removed += step === 'removed' ? 1 : 0;
    if (step === 'none' || Date.now() >= stopAtMs) {
      return removed;
    }
  }
}
