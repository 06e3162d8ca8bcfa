import { expressionBuilder, type QueryCreator } from 'kysely';
import { jsonBuildObject } from 'kysely/helpers/postgres';
import { notFound, DomainError } from '../../../domain/errors.ts';
import { readNow } from '../../../database/clock.ts';
import { sqlStateOf, type EntityManager } from '../../../database/connection.ts';
import { Operator } from '../../../database/entities/operator.ts';
import { optional } from '../../../database/read-row.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { lockSuperAdmins, requireSuperAdmin } from './last-super-admin.ts';
import { endSessions } from './sessions.ts';

export type OperatorStatus = 'ACTIVE' | 'DISABLED';

const of = expressionBuilder<Tables & { o: Tables['operators'] }, 'o'>();

/** Columns of `operators o` that `recordOf` reads. */
const OPERATOR = [
  'o.id',
  'o.email',
  'o.name',
  'o.status',
  of('o.totpConfirmedAt', 'is not', null).$castTo<boolean>().as('secondFactor'),
  'o.passwordTemporary',
  // They have none until they have used their first link.
  of('o.passwordHash', 'is not', null).$castTo<boolean>().as('passwordSet'),
  'o.lastLoginAt',
  'o.createdAt',
  'o.updatedAt',
  of
    .selectFrom('operator_grants as g')
    .innerJoin('roles as r', 'r.id', 'g.roleId')
    .select((eb) =>
      eb.fn
        .jsonAgg(
          jsonBuildObject({
            roleId: eb.cast<string>('r.id', 'text'),
            name: eb.ref('r.name'),
            applicationId: eb.cast<string | null>('g.applicationId', 'text'),
          }),
        )
        .orderBy('g.id')
        .as('roles'),
    )
    .whereRef('g.operatorId', '=', 'o.id')
    .as('roles'),
] as const;

const READ = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('operators as o').select(OPERATOR).where('o.id', '=', $('id')),
);

type OperatorRow = RowOf<typeof READ>;

export interface OperatorRecord extends Omit<OperatorRow, 'roles'> {
  readonly roles: readonly GrantedRole[];
}

export interface GrantedRole {
  readonly roleId: bigint;
  readonly name: string;
  /** Null: in every application. */
  readonly applicationId: bigint | null;
}

function recordOf({ roles, ...operator }: OperatorRow): OperatorRecord {
  return {
    ...operator,
    roles: (roles ?? []).map(({ roleId, name, applicationId }) => ({
      roleId: BigInt(roleId),
      name,
      applicationId: optional(applicationId, BigInt),
    })),
  };
}

export const OPERATOR_SORTS = ['createdAt', 'email', 'name'] as const;
type OperatorSort = (typeof OPERATOR_SORTS)[number];
export interface OperatorFilter {
  readonly status?: OperatorStatus | undefined;
  readonly email?: string | undefined;
}

interface Filtered {
  readonly status: OperatorStatus | null;
  readonly email: string | null;
}

function matching(q: QueryCreator<Tables>, $: Given<Filtered>) {
  return q
    .selectFrom('operators as o')
    .where((eb) => eb.or([eb(eb.cast($('status'), 'text'), 'is', null), eb('o.status', '=', $('status'))]))
    .where((eb) => eb.or([eb(eb.cast($('email'), 'text'), 'is', null), eb('o.email', '=', $('email'))]));
}

const listedBy = (column: 'o.id' | 'o.email' | 'o.name') => {
  const listed = (direction: 'asc' | 'desc') =>
    statement((db, $: Given<Filtered & { limit: number; offset: number }>) =>
      matching(db, (name) => $(name))
        .select(OPERATOR)
        .orderBy(column, direction)
        .orderBy('o.id')
        .limit($('limit'))
        .offset($('offset')),
    );
  return { ASC: listed('asc'), DESC: listed('desc') };
};

const LISTED = { createdAt: listedBy('o.id'), email: listedBy('o.email'), name: listedBy('o.name') };

const COUNT = statement((db, $: Given<Filtered>) =>
  matching(db, $).select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('total')),
);

interface Listing {
  readonly filter: OperatorFilter;
  readonly sortBy: OperatorSort;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly offset: number;
}

export async function listOperators(
  em: EntityManager,
  { filter, sortBy, order, limit, offset }: Listing,
): Promise<{ rows: OperatorRecord[]; total: number }> {
  const { status = null, email = null } = filter;
  const rows = await LISTED[sortBy][order].all(em, { status, email, limit, offset });
  const counted = await COUNT.first(em, { status, email });
  return { rows: rows.map(recordOf), total: counted?.total ?? 0 };
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function readOperator(em: EntityManager, id: bigint): Promise<OperatorRecord> {
  const row = await READ.first(em, { id });
  if (row === undefined) {
    throw notFound('operator');
  }
  return recordOf(row);
}

export interface NewOperator {
  readonly email: string;
  readonly name: string;
  /** Null: they set one through a link. */
  readonly passwordHash: string | null;
  /** Whether another person chose the password. */
  readonly passwordTemporary: boolean;
}

/** @throws DomainError RESOURCE_ALREADY_EXISTS if an operator already has this address. */
export async function insertOperator(em: EntityManager, operator: NewOperator): Promise<bigint> {
  try {
    return await em.insert(Operator, { ...operator, email: operator.email.toLowerCase() });
  } catch (error) {
    if (sqlStateOf(error) === '23505') {
      throw new DomainError('RESOURCE_ALREADY_EXISTS', 'an operator with this email address already exists');
    }
    throw error;
  }
}

/**
 * Enables or disables an operator. Disabling ends all their sessions. Returns false if the status was already set.
 * @throws DomainError INVALID_OPERATION_STATE for the last enabled Super Admin, RESOURCE_NOT_FOUND
 */
export async function setOperatorStatus(
  em: EntityManager,
  { operatorId, status }: { operatorId: bigint; status: OperatorStatus },
): Promise<boolean> {
  await lockSuperAdmins(em);
  await readOperator(em, operatorId);
  const changed = await em.nativeUpdate(
    Operator,
    { id: operatorId, status: { $ne: status } },
    { status, updatedAt: new Date() },
  );
  if (status === 'DISABLED') {
    await requireSuperAdmin(em);
    await endSessions(em, { operatorId, reason: 'disabled' });
  }
  return changed === 1;
}

export async function setPassword(
  em: EntityManager,
  { operatorId, passwordHash, temporary }: { operatorId: bigint; passwordHash: string; temporary: boolean },
): Promise<void> {
  const now = await readNow(em);
  await em.nativeUpdate(
    Operator,
    { id: operatorId },
    { passwordHash, passwordTemporary: temporary, passwordChangedAt: now, updatedAt: now },
  );
}
