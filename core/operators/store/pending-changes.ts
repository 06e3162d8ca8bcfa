import { expressionBuilder, sql } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { ChangeKind, ChangeStatus, ChangeTarget } from '../../../domain/pending-change.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { AuditFacts } from './audit.ts';

const of = expressionBuilder<Tables & { c: Tables['pending_changes'] }, 'c'>();

const SHOWN_STATUS = of
  .case()
  .when(of.and([of('c.status', '=', 'PENDING'), of('c.expiresAt', '<=', now)]))
  .then(sql.lit<ChangeStatus>('EXPIRED'))
  .else(of.ref('c.status').$castTo<ChangeStatus>())
  .end();

/** Columns of `pending_changes c` that `changeOf` reads. `fingerprint` is the state of the target, if `before` does not describe it completely. */
const CHANGE = [
  'c.id',
  // Null for a change of the whole installation.
  'c.applicationId',
  'c.mode',
  'c.kind',
  'c.targetType',
  'c.targetId',
  'c.before',
  'c.after',
  'c.fingerprint',
  SHOWN_STATUS.as('status'),
  'c.proposedByOperatorId as proposedBy',
  'c.decidedByOperatorId as decidedBy',
  'c.reason',
  'c.expiresAt',
  'c.decidedAt',
  'c.createdAt',
] as const;

interface ChangeName {
  readonly id: bigint;
  readonly kinds: readonly ChangeKind[];
}

const READ = statement((db, $: Given<ChangeName>) =>
  db
    .selectFrom('pending_changes as c')
    .select(CHANGE)
    .where('c.id', '=', $('id'))
    .where('c.kind', '=', (eb) => eb.fn.any($('kinds'))),
);

const LOCK = statement((db, $: Given<ChangeName>) =>
  db
    .selectFrom('pending_changes as c')
    .select(CHANGE)
    .where('c.id', '=', $('id'))
    .where('c.kind', '=', (eb) => eb.fn.any($('kinds')))
    .forUpdate('c'),
);

type ChangeRow = RowOf<typeof READ>;

/** A change that one operator has proposed and another one must confirm. */
export interface PendingChange extends Omit<ChangeRow, 'targetType' | 'targetId'> {
  readonly target: ChangeTarget;
}

function changeOf({ targetType: type, targetId: id, ...change }: ChangeRow): PendingChange {
  return { ...change, target: { type, id } };
}

const WAITING_MAX = 20;

export interface NewChange extends Pick<PendingChange, 'applicationId' | 'mode' | 'kind' | 'target'> {
  readonly before: AuditFacts;
  readonly after: AuditFacts;
  readonly fingerprint?: string;
  /** Sealed. */
  readonly secret?: string;
  readonly proposedBy: bigint;
}

export interface ProposedChange {
  readonly proposed: PendingChange;
  /** The change that this one replaces. */
  readonly superseded: bigint | null;
}

interface Stored {
  readonly applicationId: bigint | null;
  readonly mode: Mode | null;
  readonly kind: ChangeKind;
  readonly targetType: ChangeTarget['type'];
  readonly targetId: string;
  /** JSON. */
  readonly before: string;
  readonly after: string;
  readonly fingerprint: string | null;
  readonly secret: string | null;
  readonly proposedBy: bigint;
}

const INSERT = statement((db, $: Given<Stored>) =>
  db
    .insertInto('pending_changes')
    .values((eb) => ({
      applicationId: $('applicationId'),
      mode: $('mode'),
      kind: $('kind'),
      targetType: $('targetType'),
      targetId: $('targetId'),
      before: eb.cast<Record<string, unknown>>($('before'), 'jsonb'),
      after: eb.cast<Record<string, unknown>>($('after'), 'jsonb'),
      fingerprint: $('fingerprint'),
      secret: $('secret'),
      proposedByOperatorId: $('proposedBy'),
    }))
    .returning('id'),
);

/**
 * Stores a change until another operator confirms it. It replaces the same operator's waiting proposal of the same change, so a repeated request
 * leaves one row. The caller has locked the target.
 * @throws DomainError INVALID_OPERATION_STATE if too many changes of the target are waiting
 */
export async function proposeChange(em: EntityManager, change: NewChange): Promise<ProposedChange> {
  const { applicationId, mode, kind, target, before, after, fingerprint = null, secret = null, proposedBy } = change;
  const waiting = await waitingChanges(em, target.type, [target.id]);
  const repeated = waiting.find(
    (other) =>
      other.proposedBy === proposedBy &&
      other.kind === kind &&
      other.mode === mode &&
      isDeepStrictEqual(other.after, plain(after)),
  );
  if (repeated !== undefined) {
    await closeChange(em, { id: repeated.id, status: 'WITHDRAWN', operatorId: proposedBy, reason: null });
  } else if (waiting.length >= WAITING_MAX) {
    throw new DomainError('INVALID_OPERATION_STATE', 'too many changes await a second operator: decide on them first');
  }
  const inserted = await INSERT.first(em, {
    applicationId,
    mode,
    kind,
    targetType: target.type,
    targetId: target.id,
    before: JSON.stringify(plain(before)),
    after: JSON.stringify(plain(after)),
    fingerprint,
    secret,
    proposedBy,
  });
  return { proposed: await readChange(em, inserted?.id ?? 0n, [kind]), superseded: repeated?.id ?? null };
}

/** Converts facts to what JSON stores. */
export function plain(facts: AuditFacts): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(facts, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ) as Record<string, unknown>;
}

const WAITING = statement((db, $: Given<{ type: ChangeTarget['type']; targetIds: readonly string[] }>) =>
  db
    .selectFrom('pending_changes as c')
    .select(CHANGE)
    .where('c.targetType', '=', $('type'))
    .where('c.targetId', '=', (eb) => eb.fn.any($('targetIds')))
    .where('c.status', '=', 'PENDING')
    .where('c.expiresAt', '>', now)
    .orderBy('c.id'),
);

/** Returns the changes of several targets that can still be confirmed, oldest first. */
export async function waitingChanges(
  em: EntityManager,
  type: ChangeTarget['type'],
  targetIds: readonly string[],
): Promise<PendingChange[]> {
  if (targetIds.length === 0) {
    return [];
  }
  return (await WAITING.all(em, { type, targetIds })).map(changeOf);
}

export interface ChangesFilter {
  readonly kinds: readonly ChangeKind[];
  readonly status?: ChangeStatus | undefined;
  readonly applicationId?: bigint | undefined;
}

const CHANGES = list((db, $: Given<ValuesOf<ChangesFilter>>) => {
  const changes = db.selectFrom('pending_changes as c');
  const eb = expressionBuilder(changes);
  return {
    rows: changes.select(CHANGE),
    conditions: {
      kinds: eb('c.kind', '=', eb.fn.any($('kinds'))),
      status: eb(SHOWN_STATUS, '=', $('status')),
      applicationId: eb('c.applicationId', '=', $('applicationId')),
    },
    orders: { createdAt: ['c.createdAt', 'c.id'] },
  };
});

export async function listChanges(
  em: EntityManager,
  filter: ChangesFilter,
  slice: ListSlice,
): Promise<ListPage<PendingChange>> {
  const { rows, ...page } = await CHANGES.page(em, { filter, sortBy: 'createdAt', slice });
  return { ...page, rows: rows.map(changeOf) };
}

/** @throws DomainError RESOURCE_NOT_FOUND, also if the change is outside the operator's view */
export async function readChange(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<PendingChange> {
  return found(await READ.first(em, { id, kinds }));
}

/** Reads a change and locks it until the transaction ends, so that it is decided only once. */
export async function lockChange(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<PendingChange> {
  return found(await LOCK.first(em, { id, kinds }));
}

function found(row: ChangeRow | undefined): PendingChange {
  if (row === undefined) {
    throw notFound('pending change');
  }
  return changeOf(row);
}

const READ_SECRET = statement((db, $: Given<{ id: bigint }>) =>
  db.selectNoFrom((eb) =>
    eb.fn<string | null>('lenden_pending_secret', [eb.cast<bigint>($('id'), 'bigint')]).as('secret'),
  ),
);

/** Returns the sealed secret of a waiting change. Operators' requests cannot read the column, so it uses a lookup. */
export async function readChangeSecret(database: Database, id: bigint): Promise<string | null> {
  return (await READ_SECRET.lookup(database, { id }))?.secret ?? null;
}

const FORGET_SECRETS = statement((db) =>
  db
    .updateTable('pending_changes')
    .set({ secret: null })
    .where('secret', 'is not', null)
    .where('expiresAt', '<=', now)
    .returning('id'),
);

/** Deletes the secrets of expired changes, which can no longer be confirmed. Must run as the system. Returns their number. */
export async function forgetExpiredSecrets(statements: Statements): Promise<number> {
  return (await FORGET_SECRETS.all(statements, {})).length;
}

interface Closing {
  readonly id: bigint;
  readonly status: 'CONFIRMED' | 'REJECTED' | 'WITHDRAWN';
  readonly operatorId: bigint;
  readonly reason: string | null;
}

const CLOSE = statement((db, $: Given<Closing>) =>
  db
    .updateTable('pending_changes')
    .set({
      status: $('status'),
      decidedByOperatorId: $('operatorId'),
      reason: $('reason'),
      decidedAt: now,
      secret: null,
    })
    .where('id', '=', $('id'))
    .where('status', '=', 'PENDING'),
);

/** Ends a change and deletes its secret. The database itself rejects a confirmation by the proposer. */
export async function closeChange(em: EntityManager, closing: Closing): Promise<void> {
  await CLOSE.all(em, closing);
}
