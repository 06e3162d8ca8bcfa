import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { AuditLog, type ActorType } from '../../../database/entities/operator.ts';

export interface AuditFilter {
  readonly actorType?: ActorType | undefined;
  readonly actorId?: bigint | undefined;
  readonly action?: string | undefined;
  readonly targetType?: string | undefined;
  readonly targetId?: string | undefined;
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

/** Returns entries in the order in which they were written. An operator who sees only some applications sees only entries about those. */
export async function listAuditLog(
  em: EntityManager,
  { filter, order, limit, offset, after }: Listing,
): Promise<{ rows: AuditRecord[]; total: number }> {
  const where = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
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
