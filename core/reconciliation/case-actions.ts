import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Money } from '../../domain/money.ts';
import type { CorrectionAccount } from '../../domain/payouts/reconciliation.ts';
import { awaitOutcome } from '../decisions/await-outcome.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { wakeSweeper } from '../sweep/wake.ts';
import { audit, lockUnresolved, type OfCase } from './cases.ts';
import { isMovement } from './proposals.ts';
import {
  addEntry,
  endAction,
  type LockedCase,
  mayManage,
  type NewEntry,
  readResult,
  type ResultOfCase,
  secondAction,
  type WaitingAction,
  waitingAction,
} from './store/case-actions.ts';
import { acceptingNeedsSecond, caseAtRisk, hasThreshold, storeOfCase } from './store/case-approval.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>;

/** What an operator wants done about a case, and what Lenden carries out by itself once it is decided. */
export type WantedAction =
  | { readonly action: 'query-gateway' }
  | { readonly action: 'accept'; readonly reason: string }
  | {
      readonly action: 'post-correction';
      readonly reason: string;
      /** Which movement the line means, or to which account it belongs. */
      readonly to: { readonly movementKey: string } | { readonly account: CorrectionAccount };
    };

/** `awaiting-second`: another operator has to agree. `in-progress`: it is decided and will be carried out. */
export type ActionState = 'awaiting-second' | 'in-progress' | 'ended';

/**
 * Decides what is done about a case. The row is the decision, and the sweeper carries it out. Nothing is posted here.
 * @throws DomainError RESOURCE_NOT_FOUND, INVALID_OPERATION_STATE if the case is resolved, another action waits in it, or there is nothing to act on
 */
export async function actOnCase(
  deps: Dependencies,
  caller: ActingOperator,
  { reference, wanted }: OfCase & { readonly wanted: WantedAction },
): Promise<ActionState> {
  const decided = await deps.database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    await makeRoom(em, found);
    const result = found.resultId === null ? null : await readResult(em, found.resultId);
    const facts = await ruleOn(em, caller, { found, result, wanted });
    const id = await addEntry(em, {
      caseId: found.id,
      applicationId: found.applicationId,
      mode: found.mode,
      kind: 'action',
      action: wanted.action,
      operatorId: caller.operator.id,
      ...facts,
    });
    await audit(em, caller, found, {
      action: `reconciliation-case.${wanted.action}`,
      after: {
        entry: id,
        amountMinor: found.amountMinor,
        currency: found.currency,
        complete: facts.needsSecond !== true,
        ...('to' in wanted ? wanted.to : {}),
      },
      ...('reason' in wanted ? { reason: wanted.reason } : {}),
    });
    return { caseId: found.id, entryId: id, complete: facts.needsSecond !== true };
  });
  return decided.complete ? carriedOut(deps, caller, decided) : 'awaiting-second';
}

/** What the second operator has read and agrees to. */
export interface SeenAction {
  readonly action: 'accept' | 'post-correction';
  readonly movementKey: string | null;
  readonly account: CorrectionAccount | null;
}

/**
 * Agrees to the action that waits in a case, if it is the one that the operator has seen: the first one may have withdrawn it and proposed another.
 * @throws DomainError FORBIDDEN for the operator's own action, INVALID_OPERATION_STATE if none or another one waits or its operator may no longer manage
 * the case, RESOURCE_NOT_FOUND
 */
export async function secondInCase(
  deps: Dependencies,
  caller: ActingOperator,
  { reference, seen }: OfCase & { readonly seen: SeenAction },
): Promise<ActionState> {
  const decided = await deps.database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    const waiting = await requireWaiting(em, found);
    if (!waiting.needsSecond || waiting.secondOperatorId !== null) {
      throw new DomainError('INVALID_OPERATION_STATE', 'The action is decided already.');
    }
    if (waiting.operatorId === caller.operator.id) {
      throw new DomainError('FORBIDDEN', 'a second operator must agree to your action');
    }
    if (
      waiting.action !== seen.action ||
      waiting.movementKey !== seen.movementKey ||
      waiting.account !== seen.account
    ) {
      throw new DomainError('INVALID_OPERATION_STATE', 'Another action waits in this case: read it again.');
    }
    if (!(await stands(em, found, waiting))) {
      throw new DomainError(
        'INVALID_OPERATION_STATE',
        'the operator who proposed this no longer has the permission: withdraw it and propose it yourself',
      );
    }
    await secondAction(em, waiting.id, caller.operator.id);
    await audit(em, caller, found, {
      action: 'reconciliation-case.seconded',
      after: { entry: waiting.id, proposedBy: waiting.operatorId },
    });
    return { caseId: found.id, entryId: waiting.id };
  });
  return carriedOut(deps, caller, decided);
}

/** Takes back the action that waits in a case, one's own or another operator's. Throws INVALID_OPERATION_STATE if it is decided, RESOURCE_NOT_FOUND. */
export async function withdrawInCase(
  { database }: Pick<Dependencies, 'database'>,
  caller: ActingOperator,
  { reference }: OfCase,
): Promise<void> {
  await database.withOperator(caller.view, async (em) => {
    const found = await lockUnresolved(em, reference);
    const waiting = await requireWaiting(em, found);
    if (isDecided(waiting)) {
      throw new DomainError('INVALID_OPERATION_STATE', 'The action is decided already.');
    }
    await endAction(em, waiting.id, { outcome: 'WITHDRAWN', text: null });
    await audit(em, caller, found, {
      action: 'reconciliation-case.withdrawn',
      after: { entry: waiting.id, proposedBy: waiting.operatorId },
    });
  });
}

/** A case has one action at a time. One whose operator may no longer act does not stand in the way. */
export async function makeRoom(em: EntityManager, found: LockedCase): Promise<void> {
  const waiting = await waitingAction(em, found.id);
  if (waiting === null) {
    return;
  }
  if (isDecided(waiting) || (await stands(em, found, waiting))) {
    throw new DomainError('INVALID_OPERATION_STATE', 'Another action waits in this case.');
  }
  await endAction(em, waiting.id, { outcome: 'LAPSED', text: 'Its operator may no longer manage the case.' });
}

interface Ruled {
  readonly found: LockedCase;
  readonly result: ResultOfCase | null;
  readonly wanted: WantedAction;
}

async function ruleOn(
  em: EntityManager,
  caller: ActingOperator,
  { found, result, wanted }: Ruled,
): Promise<Partial<NewEntry>> {
  const { amountMinor, currency, mode } = found;
  const about = { amountMinor, currency, resultRevision: result?.revision ?? null };
  switch (wanted.action) {
    case 'query-gateway':
      if (result === null && found.refundId === null && found.disputeId === null) {
        throw nothingTo('ask the gateway about');
      }
      return {};
    case 'accept': {
      const atRisk = await caseAtRisk(em, found);
      const counted = atRisk?.find((amount) => amount.currency === currency)?.amountMinor ?? amountMinor;
      return {
        ...about,
        atRiskMinor: counted,
        text: wanted.reason,
        needsSecond: await isAboveThreshold(em, caller, { found, atRisk }),
      };
    }
    case 'post-correction': {
      if (result === null || result.lineId === null) {
        throw nothingTo('correct: it is not about a line');
      }
      const movementKey = 'movementKey' in wanted.to ? wanted.to.movementKey : null;
      const account = 'account' in wanted.to ? wanted.to.account : null;
      if (movementKey !== null && !(await isMovement(em, { mode, gateway: found.gateway }, movementKey))) {
        throw new DomainError('VALIDATION_ERROR', 'The request has invalid fields.', {
          fields: { movement: 'is no payment or refund at this gateway' },
        });
      }
      return { ...about, text: wanted.reason, movementKey, account, needsSecond: true };
    }
  }
}

/**
 * What nobody can tell takes two people wherever there is a threshold at all. So does what counts in two currencies: an entry is added up in one of them,
 * and many small ones would never reach the limit of the other.
 */
async function isAboveThreshold(
  em: EntityManager,
  caller: ActingOperator,
  {
    found: { id, mode, applicationId },
    atRisk,
  }: { readonly found: LockedCase; readonly atRisk: readonly Money[] | null },
): Promise<boolean> {
  const concerned = { applicationId, store: await storeOfCase(em, id) };
  if (atRisk === null || atRisk.length > 1) {
    return hasThreshold(em, concerned);
  }
  for (const amount of atRisk) {
    if (await acceptingNeedsSecond(em, { operatorId: caller.operator.id, mode, concerned, amount })) {
      return true;
    }
  }
  return false;
}

function nothingTo(what: string): DomainError {
  return new DomainError('INVALID_OPERATION_STATE', `The case has nothing to ${what}.`);
}

async function requireWaiting(em: EntityManager, found: LockedCase): Promise<WaitingAction> {
  const waiting = await waitingAction(em, found.id);
  if (waiting === null) {
    throw new DomainError('INVALID_OPERATION_STATE', 'No action waits in this case.');
  }
  return waiting;
}

function isDecided({ needsSecond, secondOperatorId }: WaitingAction): boolean {
  return !needsSecond || secondOperatorId !== null;
}

async function stands(
  em: EntityManager,
  { applicationId }: LockedCase,
  { operatorId }: WaitingAction,
): Promise<boolean> {
  return operatorId !== null && (await mayManage(em, { operatorId, applicationId }));
}

/** Waits for the sweeper as long as a decision's workflow usually needs. */
async function carriedOut(
  deps: Dependencies,
  caller: ActingOperator,
  { caseId, entryId }: { readonly caseId: bigint; readonly entryId: bigint },
): Promise<ActionState> {
  wakeSweeper(deps);
  const waiting = await awaitOutcome(
    deps.dispatch,
    () => deps.database.withOperator(caller.view, (em) => waitingAction(em, caseId)),
    (action) => action?.id !== entryId,
  );
  return waiting?.id === entryId ? 'in-progress' : 'ended';
}
