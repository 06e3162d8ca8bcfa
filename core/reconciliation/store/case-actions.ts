import { sql } from 'kysely';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Permission } from '../../../domain/permissions.ts';
import type {
  ActionOutcome,
  CaseAction,
  CaseEntryKind,
  CaseResolution,
  CorrectionAccount,
} from '../../../domain/payouts/reconciliation.ts';
import { RESIDUAL_STAKE } from './cases.ts';

const MANAGING = 'reconciliation:manage' satisfies Permission;

const LOCKED = [
  'id',
  'reference',
  'mode',
  'gateway',
  'applicationId',
  'kind',
  'resultId',
  'payoutId',
  'refundId',
  'disputeId',
  'currency',
  'reason',
  'amountMinor',
  'state',
  'ownerOperatorId',
] as const;
const LOCK = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('reconciliation_cases').select(LOCKED).where('reference', '=', $('reference')).forUpdate(),
);
const LOCK_BY_ID = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('reconciliation_cases').select(LOCKED).where('id', '=', $('id')).forUpdate(),
);

export type LockedCase = RowOf<typeof LOCK>;

/** Returns null if the operator's view has no such case. */
export async function lockCase(statements: Statements, reference: string): Promise<LockedCase | null> {
  return (await LOCK.first(statements, { reference })) ?? null;
}

export async function lockCaseById(statements: Statements, id: bigint): Promise<LockedCase | null> {
  return (await LOCK_BY_ID.first(statements, { id })) ?? null;
}

const OWN = statement((db, $: Given<{ id: bigint; ownerId: bigint }>) =>
  db
    .updateTable('reconciliation_cases')
    .set({ state: 'ASSIGNED', ownerOperatorId: $('ownerId'), updatedAt: now })
    .where('id', '=', $('id'))
    .where('state', '<>', 'RESOLVED'),
);
const RELEASE = statement((db, $: Given<{ id: bigint }>) =>
  db
    .updateTable('reconciliation_cases')
    .set({ state: 'OPEN', ownerOperatorId: null, updatedAt: now })
    .where('id', '=', $('id'))
    .where('state', '=', 'ASSIGNED'),
);

export async function assignTo(statements: Statements, id: bigint, ownerId: bigint): Promise<void> {
  await OWN.all(statements, { id, ownerId });
}

export async function releaseCase(statements: Statements, id: bigint): Promise<void> {
  await RELEASE.all(statements, { id });
}

const RESOLVE = statement((db, $: Given<{ id: bigint; resolution: CaseResolution }>) =>
  db
    .updateTable('reconciliation_cases')
    .set({ state: 'RESOLVED', resolution: $('resolution'), resolvedAt: now, updatedAt: now })
    .where('id', '=', $('id'))
    .where('state', '<>', 'RESOLVED'),
);

export async function resolveCase(statements: Statements, id: bigint, resolution: CaseResolution): Promise<void> {
  await RESOLVE.all(statements, { id, resolution });
}

export interface NewEntry {
  readonly caseId: bigint;
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  readonly kind: CaseEntryKind;
  readonly action: CaseAction | null;
  readonly text: string | null;
  readonly operatorId: bigint | null;
  readonly currency: string | null;
  readonly amountMinor: bigint | null;
  /** The most that accepting it can book away, in minor units of `currency`. */
  readonly atRiskMinor: bigint | null;
  readonly resultRevision: number | null;
  readonly movementKey: string | null;
  readonly account: CorrectionAccount | null;
  readonly needsSecond: boolean;
}

const INSERT = statement((db, $: Given<NewEntry>) =>
  db
    .insertInto('reconciliation_case_entries')
    .values({
      caseId: $('caseId'),
      applicationId: $('applicationId'),
      mode: $('mode'),
      kind: $('kind'),
      action: $('action'),
      text: $('text'),
      operatorId: $('operatorId'),
      currency: $('currency'),
      amountMinor: $('amountMinor'),
      atRiskMinor: $('atRiskMinor'),
      resultRevision: $('resultRevision'),
      movementKey: $('movementKey'),
      account: $('account'),
      needsSecond: $('needsSecond'),
    })
    .returning('id'),
);

/** Writes an entry of a case. Returns its id. */
export async function addEntry(
  statements: Statements,
  entry: Pick<NewEntry, 'caseId' | 'applicationId' | 'mode' | 'kind'> & Partial<NewEntry>,
): Promise<bigint> {
  const row = await INSERT.first(statements, { ...NOTHING, ...entry });
  if (row === undefined) {
    throw new Error('an entry of a case was not written');
  }
  return row.id;
}

const NOTHING = {
  action: null,
  text: null,
  operatorId: null,
  currency: null,
  amountMinor: null,
  atRiskMinor: null,
  resultRevision: null,
  movementKey: null,
  account: null,
  needsSecond: false,
} as const;

const WAITING = statement((db, $: Given<{ caseId: bigint }>) =>
  db
    .selectFrom('reconciliation_case_entries')
    .select(['id', 'action', 'movementKey', 'account', 'operatorId', 'needsSecond', 'secondOperatorId'])
    .where('caseId', '=', $('caseId'))
    .where('kind', '=', 'action')
    .where('consumedAt', 'is', null),
);

export type WaitingAction = RowOf<typeof WAITING>;

/** Returns the action of a case that is not done yet. The caller has locked the case. */
export async function waitingAction(statements: Statements, caseId: bigint): Promise<WaitingAction | null> {
  return (await WAITING.first(statements, { caseId })) ?? null;
}

const SECOND = statement((db, $: Given<{ id: bigint; operatorId: bigint }>) =>
  db
    .updateTable('reconciliation_case_entries')
    .set({ secondOperatorId: $('operatorId'), secondedAt: now })
    .where('id', '=', $('id'))
    .where('consumedAt', 'is', null)
    .where('secondOperatorId', 'is', null),
);

export async function secondAction(statements: Statements, id: bigint, operatorId: bigint): Promise<void> {
  await SECOND.all(statements, { id, operatorId });
}

export interface EndOfAction {
  readonly outcome: ActionOutcome;
  readonly text: string | null;
  /** What the gateway said, as JSON. */
  readonly answer?: string;
}

const CONSUME = statement(
  (db, $: Given<{ id: bigint; outcome: ActionOutcome; text: string | null; answer: string | null }>) =>
    db
      .updateTable('reconciliation_case_entries')
      .set({ consumedAt: now, outcome: $('outcome'), outcomeText: $('text'), answer: $('answer') })
      .where('id', '=', $('id'))
      .where('consumedAt', 'is', null),
);

export async function endAction(statements: Statements, id: bigint, end: EndOfAction): Promise<void> {
  await CONSUME.all(statements, { id, answer: null, ...end });
}

const DECIDED = statement((db, $: Given<{ max: number }>) =>
  db
    .selectFrom('reconciliation_case_entries as y')
    .innerJoin('reconciliation_cases as c', 'c.id', 'y.caseId')
    .select(['y.id', 'y.caseId', 'y.action', 'c.reference', 'c.mode', 'c.gateway'])
    .where('y.kind', '=', 'action')
    .where('y.action', '<>', 'create-refund')
    .where('y.consumedAt', 'is', null)
    .where((eb) => eb.or([eb('y.needsSecond', '=', false), eb('y.secondOperatorId', 'is not', null)]))
    .orderBy('y.id')
    .limit($('max')),
);

/** An action that is decided and not carried out. */
export type DecidedAction = RowOf<typeof DECIDED>;

export function decidedActions(statements: Statements, max: number): Promise<DecidedAction[]> {
  return DECIDED.all(statements, { max });
}

const READ_DECIDED = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('reconciliation_case_entries as y')
    .select(['y.id', 'y.action', 'y.amountMinor', 'y.resultRevision', 'y.movementKey', 'y.account'])
    .where('y.id', '=', $('id'))
    .where('y.consumedAt', 'is', null)
    .where((eb) => eb.or([eb('y.needsSecond', '=', false), eb('y.secondOperatorId', 'is not', null)])),
);

export type ActionToDo = RowOf<typeof READ_DECIDED>;

/** Reads it again under the lock of its case. Null: it has ended. */
export async function readDecided(statements: Statements, id: bigint): Promise<ActionToDo | null> {
  return (await READ_DECIDED.first(statements, { id })) ?? null;
}

const RESULT = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('reconciliation_results')
    .select(['id', 'lineId', 'movementKey', 'status', 'acceptedAt', 'superseded', 'revision'])
    .where('id', '=', $('id')),
);

export type ResultOfCase = RowOf<typeof RESULT>;

export async function readResult(statements: Statements, id: bigint): Promise<ResultOfCase | null> {
  return (await RESULT.first(statements, { id })) ?? null;
}

const ACCEPT = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('reconciliation_results').set({ acceptedAt: now, updatedAt: now }).where('id', '=', $('id')),
);
const CORRECT = statement(
  (db, $: Given<{ id: bigint; movementKey: string | null; account: CorrectionAccount | null }>) =>
    db
      .updateTable('reconciliation_results')
      .set({ correctedMovementKey: $('movementKey'), correctedAccount: $('account'), updatedAt: now })
      .where('id', '=', $('id')),
);

export async function acceptResult(statements: Statements, id: bigint): Promise<void> {
  await ACCEPT.all(statements, { id });
}

export async function correctResult(
  statements: Statements,
  corrected: { readonly id: bigint; readonly movementKey: string | null; readonly account: CorrectionAccount | null },
): Promise<void> {
  await CORRECT.all(statements, corrected);
}

const ACCEPT_RESIDUAL = statement((db, $: Given<{ payoutId: bigint; amountMinor: bigint }>) =>
  db
    .updateTable('payouts as o')
    .set((eb) => ({
      bankBaseMinor: eb.ref('bankMinor'),
      bankInDoubt: false,
      acceptedResidualMinor: sql<bigint>`${eb.ref('bankMinor')} - ${eb.ref('linesMinor')}`,
      needsBooking: true,
      updatedAt: now,
    }))
    .where('o.id', '=', $('payoutId'))
    .where((eb) => eb(RESIDUAL_STAKE, '=', $('amountMinor')))
    .returning('o.id'),
);

/** Returns false if the residual is another one by now. */
export async function acceptResidual(
  statements: Statements,
  residual: { readonly payoutId: bigint; readonly amountMinor: bigint },
): Promise<boolean> {
  return (await ACCEPT_RESIDUAL.first(statements, residual)) !== undefined;
}

const MAY_MANAGE = statement((db, $: Given<{ operatorId: bigint; applicationId: bigint }>) =>
  db.selectNoFrom((eb) =>
    eb.fn<boolean>('lenden_operator_may', [$('operatorId'), sql.lit(MANAGING), $('applicationId')]).as('may'),
  ),
);

/** Reports whether an operator may manage the cases of an application now; null: those that belong to none. */
export async function mayManage(
  statements: Statements,
  { operatorId, applicationId }: { readonly operatorId: bigint; readonly applicationId: bigint | null },
): Promise<boolean> {
  // No application has this id: only who holds the permission everywhere may.
  return (await MAY_MANAGE.first(statements, { operatorId, applicationId: applicationId ?? 0n }))?.may === true;
}
