import { isDeepStrictEqual } from 'node:util';
import { DomainError, notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { AuditFacts } from './audit.ts';

/** Changes of applications and stores, for operators who manage applications. */
export const APPLICATION_CHANGES = [
  'application-settings',
  'credential',
  'credential-rotation',
  'gateway-store',
  'gateway-store-retirement',
] as const satisfies readonly ChangeKind[];

/** Changes of permissions, for operators who manage operators. */
export const OPERATOR_CHANGES = [
  'operator-roles',
  'operator-access',
  'operator-enabling',
  'role',
] as const satisfies readonly ChangeKind[];

export type ChangeKind =
  | 'application-settings'
  | 'credential'
  | 'credential-rotation'
  | 'gateway-store'
  | 'gateway-store-retirement'
  | 'operator-roles'
  | 'operator-access'
  | 'operator-enabling'
  | 'role';

export const CHANGE_STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED', 'WITHDRAWN', 'EXPIRED'] as const;
export type ChangeStatus = (typeof CHANGE_STATUSES)[number];

export interface ChangeTarget {
  readonly type: 'application' | 'gateway' | 'operator' | 'role';
  readonly id: string;
}

/** A change that one operator has proposed and another one must confirm. */
export interface PendingChange {
  readonly id: bigint;
  /** Null for a change of the whole installation. */
  readonly applicationId: bigint | null;
  readonly mode: Mode | null;
  readonly kind: ChangeKind;
  readonly target: ChangeTarget;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  /** The state of the target, if `before` does not describe it completely. */
  readonly fingerprint: string | null;
  readonly status: ChangeStatus;
  readonly proposedBy: bigint;
  readonly decidedBy: bigint | null;
  readonly reason: string | null;
  readonly expiresAt: Date;
  readonly decidedAt: Date | null;
  readonly createdAt: Date;
}

interface ChangeRow {
  id: string;
  application_id: string | null;
  mode: Mode | null;
  kind: ChangeKind;
  target_type: ChangeTarget['type'];
  target_id: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
  fingerprint: string | null;
  shown_status: ChangeStatus;
  proposed_by_operator_id: string;
  decided_by_operator_id: string | null;
  reason: string | null;
  expires_at: Date | string;
  decided_at: Date | string | null;
  created_at: Date | string;
}

const STATUS = `case when c.status = 'PENDING' and c.expires_at <= now() then 'EXPIRED' else c.status end`;
const COLUMNS = `c.id, c.application_id, c.mode, c.kind, c.target_type, c.target_id, c.before, c.after, c.fingerprint, ${STATUS} as shown_status,
  c.proposed_by_operator_id, c.decided_by_operator_id, c.reason, c.expires_at, c.decided_at, c.created_at`;
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
  const [row] = await em.execute<{ id: string }[]>(
    `insert into pending_changes (application_id, mode, kind, target_type, target_id, before, after, fingerprint, secret, proposed_by_operator_id)
     values (?::bigint, ?, ?, ?, ?, ?::jsonb, ?::jsonb, ?, ?, ?) returning id`,
    [
      applicationId,
      mode,
      kind,
      target.type,
      target.id,
      JSON.stringify(plain(before)),
      JSON.stringify(plain(after)),
      fingerprint,
      secret,
      proposedBy,
    ],
  );
  return { proposed: await readChange(em, BigInt(row?.id ?? 0), [kind]), superseded: repeated?.id ?? null };
}

/** Converts facts to what JSON stores. */
export function plain(facts: AuditFacts): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(facts, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ) as Record<string, unknown>;
}

/** Returns the changes of several targets that can still be confirmed, oldest first. */
export async function waitingChanges(
  em: EntityManager,
  type: ChangeTarget['type'],
  targetIds: readonly string[],
): Promise<PendingChange[]> {
  if (targetIds.length === 0) {
    return [];
  }
  const rows = await em.execute<ChangeRow[]>(
    `select ${COLUMNS} from pending_changes c where c.target_type = ? and c.target_id = any(string_to_array(?, ',')) and c.status = 'PENDING'
       and c.expires_at > now() order by c.id`,
    [type, targetIds.join(',')],
  );
  return rows.map(changeOf);
}

export interface ChangesFilter {
  readonly kinds: readonly ChangeKind[];
  readonly status?: ChangeStatus | undefined;
  readonly applicationId?: bigint | undefined;
}

export async function listChanges(
  em: EntityManager,
  { kinds, status, applicationId }: ChangesFilter,
  slice: ListSlice,
): Promise<ListPage<PendingChange>> {
  const { rows, ...page } = await listRows<ChangeRow>(em, {
    columns: COLUMNS,
    from: 'pending_changes c',
    conditions: [
      [`c.kind = any(string_to_array(?, ','))`, kinds.join(',')],
      [`(${STATUS}) = ?`, status],
      ['c.application_id = ?', applicationId],
    ],
    orderBy: ['c.created_at', 'c.id'],
    slice,
  });
  return { ...page, rows: rows.map(changeOf) };
}

/** @throws DomainError RESOURCE_NOT_FOUND, also if the change is outside the operator's view */
export async function readChange(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<PendingChange> {
  return one(em, { id, kinds, lock: '' });
}

/** Reads a change and locks it until the transaction ends, so that it is decided only once. */
export async function lockChange(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<PendingChange> {
  return one(em, { id, kinds, lock: 'for update of c' });
}

async function one(
  em: EntityManager,
  { id, kinds, lock }: { id: bigint; kinds: readonly ChangeKind[]; lock: '' | 'for update of c' },
): Promise<PendingChange> {
  const [row] = await em.execute<ChangeRow[]>(
    `select ${COLUMNS} from pending_changes c where c.id = ? and c.kind = any(string_to_array(?, ',')) ${lock}`,
    [id, kinds.join(',')],
  );
  if (row === undefined) {
    throw notFound('pending change');
  }
  return changeOf(row);
}

/** Returns the sealed secret of a waiting change. Operators' requests cannot read the column, so it uses a lookup. */
export async function readChangeSecret(database: Database, id: bigint): Promise<string | null> {
  const [row] = await database.lookup<{ secret: string | null }>('select lenden_pending_secret(?::bigint) as secret', [
    id,
  ]);
  return row?.secret ?? null;
}

/** Deletes the secrets of expired changes, which can no longer be confirmed. Must run as the system. Returns their number. */
export async function forgetExpiredSecrets(statements: Statements): Promise<number> {
  const forgotten = await statements.execute<object[]>(
    'update pending_changes set secret = null where secret is not null and expires_at <= now() returning 1',
  );
  return forgotten.length;
}

interface Closing {
  readonly id: bigint;
  readonly status: 'CONFIRMED' | 'REJECTED' | 'WITHDRAWN';
  readonly operatorId: bigint;
  readonly reason: string | null;
}

/** Ends a change and deletes its secret. The database itself rejects a confirmation by the proposer. */
export async function closeChange(em: EntityManager, { id, status, operatorId, reason }: Closing): Promise<void> {
  await em.execute(
    `update pending_changes set status = ?, decided_by_operator_id = ?, reason = ?, decided_at = now(), secret = null
     where id = ? and status = 'PENDING'`,
    [status, operatorId, reason, id],
  );
}

function changeOf(row: ChangeRow): PendingChange {
  return {
    id: BigInt(row.id),
    applicationId: row.application_id === null ? null : BigInt(row.application_id),
    mode: row.mode,
    kind: row.kind,
    target: { type: row.target_type, id: row.target_id },
    before: row.before,
    after: row.after,
    fingerprint: row.fingerprint,
    status: row.shown_status,
    proposedBy: BigInt(row.proposed_by_operator_id),
    decidedBy: row.decided_by_operator_id === null ? null : BigInt(row.decided_by_operator_id),
    reason: row.reason,
    expiresAt: new Date(row.expires_at),
    decidedAt: row.decided_at === null ? null : new Date(row.decided_at),
    createdAt: new Date(row.created_at),
  };
}
