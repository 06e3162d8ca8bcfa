import { notFound, DomainError } from '../../../domain/errors.ts';
import type { Grant } from '../../../domain/permissions.ts';
import { readNow } from '../../../database/clock.ts';
import { sqlStateOf, type EntityManager } from '../../../database/connection.ts';
import { Operator } from '../../../database/entities/operator.ts';
import { lockSuperAdmins, requireSuperAdmin } from './last-super-admin.ts';
import { endSessions, GRANTS_OF_OPERATOR, parseGrants } from './sessions.ts';

export type OperatorStatus = 'ACTIVE' | 'DISABLED';

export interface OperatorRecord {
  readonly id: bigint;
  readonly email: string;
  readonly name: string;
  readonly status: OperatorStatus;
  readonly secondFactor: boolean;
  readonly passwordTemporary: boolean;
  /** False until they have used their first link. */
  readonly passwordSet: boolean;
  readonly lastLoginAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly roles: readonly GrantedRole[];
}

export interface GrantedRole {
  readonly roleId: bigint;
  readonly name: string;
  /** Null: in every application. */
  readonly applicationId: bigint | null;
}

interface OperatorRow {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: OperatorStatus;
  readonly second_factor: boolean;
  readonly password_temporary: boolean;
  readonly password_set: boolean;
  readonly last_login_at: Date | string | null;
  readonly created_at: Date | string;
  readonly updated_at: Date | string;
  readonly roles: readonly { roleId: string; name: string; applicationId: string | null }[];
}

const COLUMNS = `operators.id::text, email, operators.name, status, totp_confirmed_at is not null as second_factor, password_temporary,
  password_hash is not null as password_set,
  last_login_at, operators.created_at, operators.updated_at,
  coalesce((select jsonb_agg(jsonb_build_object('roleId', roles.id::text, 'name', roles.name, 'applicationId', granted.application_id::text)
      order by granted.id)
    from operator_grants granted join roles on roles.id = granted.role_id where granted.operator_id = operators.id), '[]') as roles`;

function recordFrom(row: OperatorRow): OperatorRecord {
  return {
    id: BigInt(row.id),
    email: row.email,
    name: row.name,
    status: row.status,
    secondFactor: row.second_factor,
    passwordTemporary: row.password_temporary,
    passwordSet: row.password_set,
    lastLoginAt: row.last_login_at === null ? null : new Date(row.last_login_at),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    roles: row.roles.map(({ roleId, name, applicationId }) => ({
      roleId: BigInt(roleId),
      name,
      applicationId: applicationId === null ? null : BigInt(applicationId),
    })),
  };
}

export const OPERATOR_SORTS = ['createdAt', 'email', 'name'] as const;
type OperatorSort = (typeof OPERATOR_SORTS)[number];
const SORT_COLUMNS: Readonly<Record<OperatorSort, string>> = {
  createdAt: 'operators.id',
  email: 'email',
  name: 'operators.name',
};

export interface OperatorFilter {
  readonly status?: OperatorStatus | undefined;
  readonly email?: string | undefined;
}

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
  const where = `(?::text is null or status = ?) and (?::text is null or email = ?)`;
  const values = [filter.status, filter.status, filter.email, filter.email].map((value) => value ?? null);
  const rows = await em.execute<OperatorRow[]>(
    `select ${COLUMNS} from operators where ${where}
     order by ${SORT_COLUMNS[sortBy]} ${order === 'ASC' ? 'asc' : 'desc'}, operators.id limit ? offset ?`,
    [...values, limit, offset],
  );
  const [count] = await em.execute<{ total: number }[]>(
    `select count(*)::integer as total from operators where ${where}`,
    values,
  );
  return { rows: rows.map(recordFrom), total: count?.total ?? 0 };
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function readOperator(em: EntityManager, id: bigint): Promise<OperatorRecord> {
  const [row] = await em.execute<OperatorRow[]>(`select ${COLUMNS} from operators where operators.id = ?`, [id]);
  if (row === undefined) {
    throw notFound('operator');
  }
  return recordFrom(row);
}

export async function readGrants(em: EntityManager, operatorId: bigint): Promise<Grant[]> {
  const [row] = await em.execute<{ grants: unknown }[]>(
    `select ${GRANTS_OF_OPERATOR} as grants from operators where id = ?`,
    [operatorId],
  );
  return row === undefined ? [] : parseGrants(row.grants);
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
