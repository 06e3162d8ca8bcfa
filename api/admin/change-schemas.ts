import { z } from 'zod';
import type { PendingChange as ChangeRecord } from '../../core/operators/store/pending-changes.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { MODES } from '../../domain/mode.ts';
import { CHANGE_KINDS, CHANGE_STATUSES } from '../../domain/pending-change.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';

const Facts = z.record(z.string(), z.unknown());

/** A change that waits for a second operator, or once did. */
export const PendingChange = z
  .object({
    id: z.int(),
    applicationId: z.int().nullable().describe('Null for a change to the whole installation.'),
    mode: z.enum(MODES).nullable(),
    kind: z.enum(CHANGE_KINDS),
    target: z.object({ type: z.enum(['application', 'gateway', 'operator', 'payout', 'role']), id: z.string() }),
    before: Facts.describe('The values when the change was proposed. For a role, also the operators who have it.'),
    after: Facts.describe('The proposed values. Never contains secrets.'),
    status: z.enum(CHANGE_STATUSES),
    proposedBy: z.string().describe('`operator:` followed by the operator’s id.'),
    decidedBy: z.string().nullable().describe('`operator:` followed by the operator’s id.'),
    reason: z.string().nullable(),
    expiresAt: z.iso.datetime().describe('The change expires if it is not confirmed by this time.'),
    decidedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'PendingChange' });

export const PendingChanges = z
  .array(PendingChange)
  .describe('Changes that wait for a second operator. They take effect only once confirmed.');

const status = z.enum(CHANGE_STATUSES, 'is not a status of a change').optional().describe('Defaults to all statuses.');

export const ChangesQuery = z.object({ ...listQuery(['createdAt']), status, applicationId: IdText.optional() });

export function pendingChangeView(change: ChangeRecord): z.infer<typeof PendingChange> {
  const { id, applicationId, mode, kind, target, before, after, status: at, reason } = change;
  return {
    id: toJsonInteger(id),
    applicationId: applicationId === null ? null : toJsonInteger(applicationId),
    mode,
    kind,
    target,
    before: { ...before },
    after: { ...after },
    status: at,
    proposedBy: `operator:${change.proposedBy}`,
    decidedBy: change.decidedBy === null ? null : `operator:${change.decidedBy}`,
    reason,
    expiresAt: change.expiresAt.toISOString(),
    decidedAt: change.decidedAt?.toISOString() ?? null,
    createdAt: change.createdAt.toISOString(),
  };
}
