import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { readGrants, readOperator } from '../../core/operators/store/operators.ts';
import {
  APPLICATION_CHANGES,
  closeChange,
  listChanges,
  lockChange,
  OPERATOR_CHANGES,
  readChange,
  readChangeSecret,
  type ChangeKind,
  type PendingChange as ChangeRecord,
} from '../../core/operators/store/pending-changes.ts';
import { DomainError } from '../../domain/errors.ts';
import { isInView, viewFor, type Permission } from '../../domain/permissions.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { confirmSettings } from './apps.ts';
import { confirmCredential, dropCredential } from './credentials.ts';
import type { OperatorCaller } from './caller.ts';
import { ChangesQuery, PendingChange, pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { confirmStore } from './gateways.ts';
import { Reason } from './money-schemas.ts';
import { orphaned } from './propose.ts';
import { confirmRole } from './roles.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { confirmOperatorChange } from './users.ts';

const TAG = 'Pending changes';

/** A kind of pending change: who decides on it, and on which path. */
interface Family {
  readonly path: string;
  readonly kinds: readonly ChangeKind[];
  readonly permission: Permission;
  /** Whether the changes belong to the installation and not to one application. */
  readonly everyApp: boolean;
  /** The noun in operation ids. */
  readonly noun: string;
  readonly words: string;
}

const FAMILIES: readonly Family[] = [
  {
    path: '/admin/pending-changes',
    kinds: APPLICATION_CHANGES,
    permission: 'app:manage',
    everyApp: false,
    noun: 'PendingChange',
    words: 'to an application, a key or a store',
  },
  {
    path: '/admin/pending-operator-changes',
    kinds: OPERATOR_CHANGES,
    permission: 'user:manage',
    everyApp: true,
    noun: 'PendingOperatorChange',
    words: 'to operators or roles',
  },
];

/** Returns the routes for changes that one operator proposes and another confirms, so that one operator alone cannot weaken four-eyes approval. */
export function pendingChangeRoutes(deps: AdminDependencies): AdminRoute[] {
  return FAMILIES.flatMap((family) => [
    list(deps, family),
    confirm(deps, family),
    reject(deps, family),
    withdraw(deps, family),
  ]);
}

function list(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, kinds, permission, everyApp, noun, words } = family;
  return adminRoute({
    method: 'GET',
    path,
    operationId: `list${noun}s`,
    tag: TAG,
    summary: `List pending changes ${words}`,
    permission,
    everyApp,
    query: ChangesQuery,
    response: { status: 200, schema: z.array(PendingChange), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { status, applicationId } = query;
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listChanges(em, { kinds, status, applicationId }, slice),
      );
      return { status: 200, data: rows.map(pendingChangeView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function confirm(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, kinds, permission, everyApp, noun, words } = family;
  return adminRoute({
    method: 'POST',
    path: `${path}/{id}/confirm`,
    operationId: `confirm${noun}`,
    tag: TAG,
    summary: `Confirm a pending change ${words}`,
    description:
      'Takes effect immediately. You cannot confirm a change that you proposed. Fails if the target has changed since, or if the proposer no longer has the permission.',
    permission,
    everyApp,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: PendingChange },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id } }) => {
      // The transaction below checks whether the caller may see the change. Until then the secret is not used.
      const secret = family.everyApp ? null : await readChangeSecret(deps.database, id);
      const change = await deps.database.withOperator(caller.view, async (em) => {
        const waiting = await lockWaiting(em, id, kinds);
        if (waiting.proposedBy === caller.operator.id) {
          throw new DomainError('FORBIDDEN', 'you cannot confirm a change that you proposed');
        }
        await requireProposer(em, waiting, family);
        await carryOut(em, deps, { caller, change: waiting, secret });
        return close(em, { caller, change: waiting, status: 'CONFIRMED', reason: null });
      });
      return { status: 200, data: pendingChangeView(change) };
    },
  });
}

function reject(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, kinds, permission, everyApp, noun, words } = family;
  return adminRoute({
    method: 'POST',
    path: `${path}/{id}/reject`,
    operationId: `reject${noun}`,
    tag: TAG,
    summary: `Reject a pending change ${words} proposed by another operator`,
    permission,
    everyApp,
    sensitive: true,
    params: IdParams,
    body: Reason,
    response: { status: 200, schema: PendingChange },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id }, body: { reason } }) => {
      const change = await deps.database.withOperator(caller.view, async (em) => {
        const waiting = await lockWaiting(em, id, kinds);
        if (waiting.proposedBy === caller.operator.id) {
          throw new DomainError('FORBIDDEN', 'you proposed this change: withdraw it instead');
        }
        await drop(em, { caller, change: waiting });
        return close(em, { caller, change: waiting, status: 'REJECTED', reason });
      });
      return { status: 200, data: pendingChangeView(change) };
    },
  });
}

function withdraw(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, kinds, permission, everyApp, noun, words } = family;
  return adminRoute({
    method: 'POST',
    path: `${path}/{id}/withdraw`,
    operationId: `withdraw${noun}`,
    tag: TAG,
    summary: `Withdraw your own pending change ${words}`,
    permission,
    everyApp,
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: PendingChange },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id } }) => {
      const change = await deps.database.withOperator(caller.view, async (em) => {
        const waiting = await lockWaiting(em, id, kinds);
        if (waiting.proposedBy !== caller.operator.id) {
          throw new DomainError(
            'FORBIDDEN',
            'only the operator who proposed a change can withdraw it: reject it instead',
          );
        }
        await drop(em, { caller, change: waiting });
        return close(em, { caller, change: waiting, status: 'WITHDRAWN', reason: null });
      });
      return { status: 200, data: pendingChangeView(change) };
    },
  });
}

async function lockWaiting(em: EntityManager, id: bigint, kinds: readonly ChangeKind[]): Promise<ChangeRecord> {
  const change = await lockChange(em, id, kinds);
  if (change.status !== 'PENDING') {
    throw new DomainError('INVALID_OPERATION_STATE', `the change is ${change.status}`);
  }
  return change;
}

/** @throws DomainError INVALID_OPERATION_STATE when the proposer is disabled, or has lost the permission to propose this */
async function requireProposer(em: EntityManager, change: ChangeRecord, { permission }: Family): Promise<void> {
  const { applicationId, proposedBy } = change;
  const { status } = await readOperator(em, proposedBy);
  const view = viewFor(await readGrants(em, proposedBy), permission);
  const holds = applicationId === null ? view === 'every-app' : isInView(view, applicationId);
  if (status !== 'ACTIVE' || !holds) {
    throw orphaned();
  }
}

interface CarryingOut {
  readonly caller: OperatorCaller;
  readonly change: ChangeRecord;
  /** Sealed. */
  readonly secret: string | null;
}

async function carryOut(em: EntityManager, deps: AdminDependencies, confirmed: CarryingOut): Promise<void> {
  switch (confirmed.change.kind) {
    case 'application-settings':
      return confirmSettings(em, deps, confirmed);
    case 'credential':
    case 'credential-rotation':
      return confirmCredential(em, confirmed);
    case 'gateway-store':
    case 'gateway-store-retirement':
      return confirmStore(em, deps, confirmed);
    case 'operator-roles':
    case 'operator-access':
    case 'operator-enabling':
      return confirmOperatorChange(em, confirmed);
    case 'role':
      return confirmRole(em, confirmed);
  }
}

/** Removes what was created together with the proposal. */
async function drop(em: EntityManager, dropped: Omit<CarryingOut, 'secret'>): Promise<void> {
  const { kind } = dropped.change;
  if (kind === 'credential' || kind === 'credential-rotation') {
    await dropCredential(em, dropped);
  }
}

interface Closing {
  readonly caller: OperatorCaller;
  readonly change: ChangeRecord;
  readonly status: 'CONFIRMED' | 'REJECTED' | 'WITHDRAWN';
  readonly reason: string | null;
}

async function close(em: EntityManager, { caller, change, status, reason }: Closing): Promise<ChangeRecord> {
  const { id, target, applicationId, mode, proposedBy } = change;
  await closeChange(em, { id, status, operatorId: caller.operator.id, reason });
  await recordAudit(em, {
    actor: caller.actor,
    action: `pending-change.${status.toLowerCase()}`,
    target,
    ...(applicationId === null ? {} : { application: { id: applicationId, mode } }),
    after: { changeId: id, proposedBy },
    ...(reason === null ? {} : { reason }),
  });
  return readChange(em, id, [change.kind]);
}
