import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ActingOperator } from './acting-operator.ts';
import { refuseSelf, requireHeld, requirePermissionsOf } from './permission-checks.ts';
import { outdated, propose } from './propose.ts';
import { recordAudit, type AuditFacts } from './store/audit.ts';
import { lockSuperAdmins } from './store/last-super-admin.ts';
import { requestLink } from './store/links.ts';
import { readOperator, setOperatorStatus, type OperatorRecord, type OperatorStatus } from './store/operators.ts';
import { plain, type PendingChange } from './store/pending-changes.ts';
import { readGrantRequests, readRoleNames, replaceGrants, resolveGrants, type GrantRequest } from './store/roles.ts';

interface Written {
  readonly caller: ActingOperator;
  readonly operator: OperatorRecord;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

function byProposer(proposedBy: bigint | undefined): AuditFacts {
  return proposedBy === undefined ? {} : { proposedBy };
}

export async function writeLink(em: EntityManager, { caller, operator, proposedBy }: Written): Promise<void> {
  await requestLink(em, operator.id);
  await recordAudit(em, {
    actor: caller.actor,
    action: 'operator.link-requested',
    target: targetOf(operator),
    after: byProposer(proposedBy),
  });
}

export function requireActive({ status }: OperatorRecord): void {
  if (status !== 'ACTIVE') {
    throw new DomainError('INVALID_OPERATION_STATE', 'the operator is disabled');
  }
}

interface ProposedOn {
  readonly caller: ActingOperator;
  readonly operator: OperatorRecord;
  readonly kind: 'operator-roles' | 'operator-access' | 'operator-enabling';
  readonly before: AuditFacts;
  readonly after: AuditFacts;
}

export async function proposeOn(
  em: EntityManager,
  { caller, operator, kind, before, after }: ProposedOn,
): Promise<void> {
  const target = { type: 'operator', id: operator.id.toString() } as const;
  await propose(em, caller, { applicationId: null, mode: null, kind, target, before, after });
}

export async function proposeGrants(
  em: EntityManager,
  { caller, operator, grants }: Omit<Written, 'proposedBy'> & { readonly grants: readonly GrantRequest[] },
): Promise<void> {
  const names = await readRoleNames(
    em,
    grants.map(({ roleId }) => roleId),
  );
  const wanted = grants.map((grant) => ({ ...grant, name: names.get(grant.roleId) ?? '' }));
  const permissions = await permissionsGranted(em, grants);
  const [before, after] = [{ grants: rolesFacts(operator) }, { grants: grantFacts(wanted), permissions }];
  await proposeOn(em, { caller, operator, kind: 'operator-roles', before, after });
}

export async function writeStatus(
  em: EntityManager,
  { caller, operator, status, proposedBy }: Written & { readonly status: OperatorStatus },
): Promise<void> {
  if (await setOperatorStatus(em, { operatorId: operator.id, status })) {
    await recordAudit(em, {
      actor: caller.actor,
      action: status === 'ACTIVE' ? 'operator.enabled' : 'operator.disabled',
      target: targetOf(operator),
      before: { status: operator.status },
      after: { status, ...byProposer(proposedBy) },
    });
  }
}

export async function writeGrants(
  em: EntityManager,
  { caller, operator, grants, proposedBy }: Written & { readonly grants: readonly GrantRequest[] },
): Promise<void> {
  await replaceGrants(em, { operatorId: operator.id, grants });
  const after = await readOperator(em, operator.id);
  await recordAudit(em, {
    actor: caller.actor,
    action: 'operator.roles-changed',
    target: targetOf(after),
    before: { grants: rolesFacts(operator) },
    after: { grants: rolesFacts(after), ...byProposer(proposedBy) },
  });
}

/** Returns what each grant allows now. A second operator confirms these permissions, not what the roles allow later. */
async function permissionsGranted(em: EntityManager, grants: readonly GrantRequest[]): Promise<string[][]> {
  const resolved = await resolveGrants(em, grants);
  return resolved.map(({ everything, permissions }) => (everything ? ['everything'] : [...permissions].sort()));
}

const GrantsToConfirm = z.object({
  permissions: z.array(z.array(z.string())),
  grants: z.array(
    z.object({
      roleId: z.string().transform(BigInt),
      applicationId: z.string().transform(BigInt).nullable(),
    }),
  ),
});

/**
 * Applies a change of an operator that a second operator has confirmed, in that operator's transaction. The confirming operator must be allowed to
 * propose the same change, and the change must not concern themselves.
 * @throws DomainError FORBIDDEN, INVALID_OPERATION_STATE when the operator is not what they were when the change was proposed
 */
export async function confirmOperatorChange(
  em: EntityManager,
  { caller, change }: { readonly caller: ActingOperator; readonly change: PendingChange },
): Promise<void> {
  const operatorId = BigInt(change.target.id);
  const { proposedBy } = change;
  refuseSelf(caller, operatorId, 'confirm a change of yourself');
  await lockSuperAdmins(em);
  const operator = await readOperator(em, operatorId);
  switch (change.kind) {
    case 'operator-roles': {
      const { grants: wanted, permissions } = GrantsToConfirm.parse(change.after);
      if (
        !isDeepStrictEqual(plain({ grants: rolesFacts(operator) }), change.before) ||
        !isDeepStrictEqual(await permissionsGranted(em, wanted), permissions)
      ) {
        throw outdated();
      }
      const present = await readGrantRequests(em, operatorId);
      const changed = [...without(wanted, present), ...without(present, wanted)];
      requireHeld(caller, await resolveGrants(em, changed));
      await writeGrants(em, { caller, operator, grants: wanted, proposedBy });
      return;
    }
    case 'operator-access':
      await requirePermissionsOf(em, caller, operatorId);
      requireActive(operator);
      await writeLink(em, { caller, operator, proposedBy });
      return;
    case 'operator-enabling':
      await requirePermissionsOf(em, caller, operatorId);
      if (operator.status !== 'DISABLED') {
        throw outdated();
      }
      await writeStatus(em, { caller, operator, status: 'ACTIVE', proposedBy });
      return;
    default:
      throw new Error(`${change.kind} is not a change to an operator`);
  }
}

export function without(grants: readonly GrantRequest[], others: readonly GrantRequest[]): GrantRequest[] {
  return grants.filter(
    (grant) =>
      !others.some(({ roleId, applicationId }) => roleId === grant.roleId && applicationId === grant.applicationId),
  );
}

export function targetOf({ id }: OperatorRecord) {
  return { type: 'operator', id };
}

export function rolesFacts({ roles }: OperatorRecord) {
  return grantFacts(roles);
}

function grantFacts(grants: readonly (GrantRequest & { readonly name: string })[]) {
  return grants.map(({ roleId, name, applicationId }) => ({ roleId, name, applicationId }));
}
