import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { AuditLog, type ActorType } from '../../../database/entities/operator.ts';

export interface AuditFilter {
  readonly actorType?: ActorType | undefined;
  readonly actorId?: bigint | undefined;
  /** An action such as `role.changed`, or what all its actions begin with, such as `role`. */
  readonly action?: string | undefined;
  readonly targetType?: string | undefined;
  readonly targetId?: string | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

export interface AuditRecord {
  readonly id: bigint;
  readonly actorType: ActorType;
  readonly actorId: bigint | null;
  readonly actor: string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly applicationId: bigint | null;
  readonly mode: Mode | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

interface Listing {
  readonly filter: AuditFilter;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly offset: number;
  /** The id of the last entry seen. */
  readonly after: bigint | null;
}

const SUBJECT = /^[a-z-]+$/;

function whereOf({ action, from, before, ...equal }: AuditFilter) {
  const acts = action !== undefined && SUBJECT.test(action) ? { $like: `${action}.%` } : action;
  const created = { ...(from === null ? {} : { $gte: from }), ...(before === null ? {} : { $lt: before }) };
  return {
    ...Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined)),
    ...(acts === undefined ? {} : { action: acts }),
    ...(from === null && before === null ? {} : { createdAt: created }),
  };
}

/** Returns entries in the order in which they were written. An operator who sees only some applications sees only entries about those. */
export async function listAuditLog(
  em: EntityManager,
  { filter, order, limit, offset, after }: Listing,
): Promise<{ rows: AuditRecord[]; total: number }> {
  const where = whereOf(filter);
  const beyond = after === null ? {} : { id: order === 'ASC' ? { $gt: after } : { $lt: after } };
  const rows = await em.find(AuditLog, { ...where, ...beyond }, { orderBy: { id: order }, limit, offset });
  const total = await em.count(AuditLog, where);
  return {
    rows: rows.map(({ actorId, applicationId, mode, address, requestId, ...row }) => ({
      ...row,
      actorId: actorId ?? null,
      applicationId: applicationId ?? null,
      mode: mode ?? null,
      address: address ?? null,
      requestId: requestId ?? null,
    })),
    total,
  };
}
