import type { EntityManager } from '../../database/connection.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { bookTransfers } from './book-transfers.ts';
import { judgeBatch } from './judge-batch.ts';
import { judgingOf } from './judging.ts';
import { queryGateway } from './query-gateway.ts';
import {
  acceptResidual,
  acceptResult,
  type ActionToDo,
  addEntry,
  correctResult,
  type DecidedAction,
  decidedActions,
  endAction,
  type LockedCase,
  lockCaseById,
  readDecided,
  readResult,
  type ResultOfCase,
  resolveCase,
} from './store/case-actions.ts';
import { keepCases } from './store/cases.ts';
import { findLinesById, referenceIn } from './store/lines.ts';
import { lockGateway } from './store/locks.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'calendar' | 'gateways' | 'dispatch' | 'log'>;

/** What operators have decided about cases and what is not carried out yet. */
export function dueCaseActions(deps: CoreDependencies): Sweep<DecidedAction> {
  return {
    due: (em) => decidedActions(em, BATCH_MAX),
    drive: (decided) =>
      attempt(deps, { case: decided.reference, what: 'a decision about a case was not carried out' }, () =>
        carryOut(deps, decided),
      ),
  };
}

/** Carries out what was decided about a case, once. If evidence came first or the difference is another one by now, the decision lapses. */
export async function carryOut(deps: Dependencies, decided: DecidedAction): Promise<void> {
  if (decided.action === 'query-gateway') {
    return queryGateway(deps, decided);
  }
  await deps.database.withSystem(async (em) => {
    await lockGateway(em, decided);
    const found = await lockCaseById(em, decided.caseId);
    const action = await readDecided(em, decided.id);
    if (found === null || action === null) {
      return;
    }
    const problem =
      found.state === 'RESOLVED' ? 'The case was closed before.' : await book(em, deps, { found, action });
    await endAction(em, action.id, {
      outcome: problem === null ? 'DONE' : 'LAPSED',
      text: problem,
    });
    await keepCases(em, decided);
    await bookTransfers(em, decided);
  });
}

interface Booking {
  readonly found: LockedCase;
  readonly action: ActionToDo;
}

const CHANGED = 'The difference has changed since this was decided.';

/** Returns why nothing was booked; null: it was. */
async function book(em: EntityManager, deps: Dependencies, { found, action }: Booking): Promise<string | null> {
  const { id, kind, payoutId, resultId, amountMinor } = found;
  if (action.amountMinor !== amountMinor) {
    return CHANGED;
  }
  if (kind === 'residual' && payoutId !== null) {
    if (!(await acceptResidual(em, { payoutId, amountMinor }))) {
      return CHANGED;
    }
    return close(em, found, 'ACCEPTED');
  }
  const result = resultId === null ? null : await readResult(em, resultId);
  if (result === null) {
    return close(em, found, 'ACCEPTED');
  }
  if (result.status !== 'FLAGGED' || result.superseded || result.revision !== action.resultRevision) {
    return CHANGED;
  }
  if (action.action === 'accept') {
    await acceptResult(em, result.id);
    await judgeAgain(em, deps, { found, result, movementKey: null });
    const judged = await readResult(em, result.id);
    return (judged?.acceptedAt ?? null) === null ? CHANGED : close(em, found, 'ACCEPTED');
  }
  const { movementKey, account } = action;
  await correctResult(em, { id: result.id, movementKey, account });
  await judgeAgain(em, deps, { found, result, movementKey });
  const judged = await readResult(em, result.id);
  if (judged?.status === 'FLAGGED') {
    await addEntry(em, {
      caseId: id,
      applicationId: found.applicationId,
      mode: found.mode,
      kind: 'note',
      text: 'The line is judged with what was chosen, and still differs.',
    });
    return null;
  }
  return close(em, found, 'CORRECTED');
}

async function close(
  em: EntityManager,
  { id, applicationId, mode }: LockedCase,
  resolution: 'ACCEPTED' | 'CORRECTED',
): Promise<null> {
  await resolveCase(em, id, resolution);
  await addEntry(em, { caseId: id, applicationId, mode, kind: 'resolved', text: resolution });
  return null;
}

async function judgeAgain(
  em: EntityManager,
  deps: Dependencies,
  {
    found: { mode, gateway },
    result,
    movementKey,
  }: { readonly found: LockedCase; readonly result: ResultOfCase; readonly movementKey: string | null },
): Promise<void> {
  const lines = result.lineId === null ? [] : await findLinesById(em, { mode, gateway, ids: [result.lineId] });
  const references = [result.movementKey, movementKey].map(referenceIn).filter((reference) => reference !== null);
  await judgeBatch(em, { mode, gateway, runId: null, ...(await judgingOf(em, deps, gateway)), lines, references });
}
