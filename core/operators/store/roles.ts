import { DomainError, notFound } from '../../../domain/errors.ts';
import { isPermission, type Grant, type Permission } from '../../../domain/permissions.ts';
import { sqlStateOf, type EntityManager } from '../../../database/connection.ts';
import { Application } from '../../../database/entities/application.ts';
import { OperatorGrant, Role } from '../../../database/entities/operator.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { requireSuperAdmin } from './last-super-admin.ts';

export interface RoleRecord {
  readonly id: bigint;
  readonly name: string;
  readonly description: string;
  /** Whether it is part of Lenden and cannot be changed. */
  readonly seeded: boolean;
  /** Every permission, including future ones. */
  readonly everything: boolean;
  readonly permissions: readonly Permission[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

function recordOf(role: Role): RoleRecord {
  const { id, name, description, seeded, everything, permissions, createdAt, updatedAt } = role;
  return {
    id,
    name,
    description,
    seeded,
    everything,
    permissions: permissions.filter(isPermission),
    createdAt,
    updatedAt,
  };
}

export const ROLE_SORTS = ['createdAt', 'name'] as const;
type RoleSort = (typeof ROLE_SORTS)[number];

export async function listRoles(
  em: EntityManager,
  { sortBy, order, limit, offset }: { sortBy: RoleSort; order: 'ASC' | 'DESC'; limit: number; offset: number },
): Promise<{ rows: RoleRecord[]; total: number }> {
  const orderBy = sortBy === 'name' ? { name: order } : { id: order };
  const [rows, total] = await em.findAndCount(Role, {}, { orderBy, limit, offset });
  return { rows: rows.map(recordOf), total };
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function readRole(em: EntityManager, id: bigint): Promise<RoleRecord> {
  const role = await em.findOne(Role, { id });
  if (role === null) {
    throw notFound('role');
  }
  return recordOf(role);
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function readRoleByName(em: EntityManager, name: string): Promise<RoleRecord> {
  const role = await em.findOne(Role, { name });
  if (role === null) {
    throw notFound('role');
  }
  return recordOf(role);
}

export interface RoleContents {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

/** @throws DomainError RESOURCE_ALREADY_EXISTS if a role has this name. */
export async function insertRole(em: EntityManager, role: RoleContents): Promise<bigint> {
  return refusingTakenName(() => em.insert(Role, { ...role, permissions: [...role.permissions] }));
}

/** @throws DomainError RESOURCE_ALREADY_EXISTS, or INVALID_OPERATION_STATE for a seeded role */
export async function updateRole(em: EntityManager, id: bigint, role: RoleContents): Promise<void> {
  const changed = await refusingTakenName(() =>
    em.nativeUpdate(
      Role,
      { id, seeded: false },
      { ...role, permissions: [...role.permissions], updatedAt: new Date() },
    ),
  );
  if (changed === 0) {
    throw new DomainError('INVALID_OPERATION_STATE', 'a built-in role cannot be changed');
  }
}

/** @throws DomainError INVALID_OPERATION_STATE for a seeded role and for one that operators have. */
export async function deleteRole(em: EntityManager, id: bigint): Promise<void> {
  try {
    if ((await em.nativeDelete(Role, { id, seeded: false })) === 0) {
      throw new DomainError('INVALID_OPERATION_STATE', 'a built-in role cannot be deleted');
    }
  } catch (error) {
    if (sqlStateOf(error) === '23503') {
      throw new DomainError('INVALID_OPERATION_STATE', 'operators still have this role: remove it from them first');
    }
    throw error;
  }
}

async function refusingTakenName<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlStateOf(error) === '23505') {
      throw new DomainError('RESOURCE_ALREADY_EXISTS', 'a role with this name already exists');
    }
    throw error;
  }
}

/** A role for an operator, in one application or in all. */
export interface GrantRequest {
  readonly roleId: bigint;
  readonly applicationId: bigint | null;
}

/**
 * Returns the permissions that the requested grants would give.
 * @throws DomainError VALIDATION_ERROR naming a role or an application that does not exist
 */
export async function resolveGrants(em: EntityManager, requests: readonly GrantRequest[]): Promise<Grant[]> {
  const roles = new Map(
    (await em.find(Role, { id: { $in: requests.map(({ roleId }) => roleId) } })).map((role) => [role.id, role]),
  );
  const named = requests.flatMap(({ applicationId }) => applicationId ?? []);
  const known = new Set((await em.find(Application, { id: { $in: named } }, { fields: ['id'] })).map(({ id }) => id));
  return requests.map(({ roleId, applicationId }, index) => {
    const role = roles.get(roleId);
    if (role === undefined) {
      throw invalid(`grants.${index}.roleId`, 'is not a role');
    }
    if (applicationId !== null && !known.has(applicationId)) {
      throw invalid(`grants.${index}.applicationId`, 'is not an application');
    }
    if (role.everything && applicationId !== null) {
      throw invalid(`grants.${index}.applicationId`, 'must be null: this role is for every application');
    }
    return { permissions: role.permissions.filter(isPermission), everything: role.everything, applicationId };
  });
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}

export async function readRoleNames(em: EntityManager, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, string>> {
  const roles = await em.find(Role, { id: { $in: [...ids] } }, { fields: ['id', 'name'] });
  return new Map(roles.map(({ id, name }) => [id, name]));
}

const HOLDERS = statement((db, $: Given<{ roleId: bigint }>) =>
  db
    .selectFrom('operator_grants as g')
    .innerJoin('operators as o', 'o.id', 'g.operatorId')
    .select(['o.id as operatorId', 'o.email', 'o.status', 'g.applicationId'])
    .where('g.roleId', '=', $('roleId'))
    .orderBy('o.id')
    .orderBy('g.applicationId', (order) => order.nullsFirst()),
);

/** Who has a role, and in which application; null: in every one. */
export type RoleHolder = RowOf<typeof HOLDERS>;

/** Returns who has the role and in which application, including disabled operators, in a fixed order. */
export function readRoleHolders(em: EntityManager, roleId: bigint): Promise<RoleHolder[]> {
  return HOLDERS.all(em, { roleId });
}

export async function readGrantRequests(em: EntityManager, operatorId: bigint): Promise<GrantRequest[]> {
  const rows = await em.find(OperatorGrant, { operatorId }, { orderBy: { id: 'asc' } });
  return rows.map(({ roleId, applicationId }) => ({ roleId, applicationId: applicationId ?? null }));
}

/**
 * Replaces all grants of an operator.
 * @throws DomainError INVALID_OPERATION_STATE if that would remove the last enabled Super Admin
 */
export async function replaceGrants(
  em: EntityManager,
  { operatorId, grants }: { operatorId: bigint; grants: readonly GrantRequest[] },
): Promise<void> {
  await em.nativeDelete(OperatorGrant, { operatorId });
  await em.insertMany(
    OperatorGrant,
    grants.map((grant) => ({ ...grant, operatorId })),
  );
  await requireSuperAdmin(em);
}
