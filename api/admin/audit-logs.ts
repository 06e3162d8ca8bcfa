import { z } from 'zod';
import { listAuditLog, type AuditRecord } from '../../core/operators/store/audit-log.ts';
import { DomainError } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { momentRange } from './filters.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { AuditEntry, AuditLogQuery } from './schemas.ts';

/** Returns the route for the audit log. No route changes or removes an entry, and the database refuses to do so as well. */
export function auditLogRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/audit-logs',
    operationId: 'listAuditLogs',
    tag: 'Audit',
    summary: 'List audit log entries, newest first',
    description:
      'Operators who may read the log in some applications see only the entries of those applications. Entries about logins, operators, roles and settings require the permission in all applications.',
    permission: 'audit:read',
    query: AuditLogQuery,
    response: { status: 200, schema: z.array(AuditEntry), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { actorType, actorId, action, targetType, targetId } = query;
      const { rows, total } = await deps.database.withOperator(caller.view, (em) =>
        listAuditLog(em, {
          ...slice,
          filter: { actorType, actorId, action, targetType, targetId, ...momentRange(query) },
          after: slice.cursor === null ? null : idOf(slice.cursor),
        }),
      );
      const last = rows.length === slice.limit ? rows.at(-1) : undefined;
      const nextCursor = last === undefined ? null : cursorOf(last.id);
      return { status: 200, data: rows.map(entryView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function cursorOf(id: bigint): string {
  return Buffer.from(`audit ${id}`).toString('base64url');
}

function idOf(cursor: string): bigint {
  const [, id] = /^audit (\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (id === undefined) {
    const fields = { cursor: 'is not a cursor of this list' };
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
  }
  return BigInt(id);
}

function entryView({ id, actorId, applicationId, createdAt, details, ...entry }: AuditRecord) {
  return {
    ...entry,
    id: toJsonInteger(id),
    actorId: actorId === null ? null : toJsonInteger(actorId),
    applicationId: applicationId === null ? null : toJsonInteger(applicationId),
    details: { ...details },
    createdAt: createdAt.toISOString(),
  };
}
