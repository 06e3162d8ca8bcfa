import { z } from 'zod';
import {
  confirmChange,
  rejectChange,
  withdrawChange,
  type ChangeFamily,
} from '../../core/operators/pending-changes.ts';
import { listChanges } from '../../core/operators/store/pending-changes.ts';
import { APPLICATION_CHANGES, OPERATOR_CHANGES, RECONCILIATION_CHANGES } from '../../domain/pending-change.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { parseSettings } from './apps.ts';
import { ChangesQuery, PendingChange, pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import { Reason } from './money-schemas.ts';
import { parseRole } from './roles.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Pending changes';

/** A kind of pending change: who decides on it, and on which path. */
interface Family extends ChangeFamily {
  readonly path: string;
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
    haveSecrets: true,
    noun: 'PendingChange',
    words: 'to an application, a key or a store',
  },
  {
    path: '/admin/pending-operator-changes',
    kinds: OPERATOR_CHANGES,
    permission: 'user:manage',
    everyApp: true,
    haveSecrets: false,
    noun: 'PendingOperatorChange',
    words: 'to operators or roles',
  },
  {
    path: '/admin/pending-reconciliation-changes',
    kinds: RECONCILIATION_CHANGES,
    permission: 'reconciliation:manage',
    everyApp: true,
    haveSecrets: false,
    noun: 'PendingReconciliationChange',
    words: 'to how payout lines are judged, or to what arrived in the bank',
  },
];

const PARSE = { settings: parseSettings, role: parseRole };

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
  const { path, permission, everyApp, noun, words } = family;
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
    handler: async ({ caller, params: { id } }) => ({
      status: 200,
      data: pendingChangeView(await confirmChange({ ...deps, parse: PARSE }, caller, { id, family })),
    }),
  });
}

function reject(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, permission, everyApp, noun, words } = family;
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
    handler: async ({ caller, params: { id }, body: { reason } }) => ({
      status: 200,
      data: pendingChangeView(await rejectChange(deps, caller, { id, family, reason })),
    }),
  });
}

function withdraw(deps: AdminDependencies, family: Family): AdminRoute {
  const { path, permission, everyApp, noun, words } = family;
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
    handler: async ({ caller, params: { id } }) => ({
      status: 200,
      data: pendingChangeView(await withdrawChange(deps, caller, { id, family })),
    }),
  });
}
