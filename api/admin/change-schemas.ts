import { z } from 'zod';
import {
  APPLICATION_CHANGES,
  CHANGE_STATUSES,
  OPERATOR_CHANGES,
  type PendingChange as ChangeRecord,
} from '../../database/operators/pending-changes.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { MODES } from '../../domain/mode.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';

const Facts = z.record(z.string(), z.unknown());

/** A change that waits for a second operator, or once did. */
export const PendingChange = z
  .object({
    id: z.int(),
    applicationId: z.int().nullable().describe('Null: of the installation.'),
    mode: z.enum(MODES).nullable(),
    kind: z.enum([...APPLICATION_CHANGES, ...OPERATOR_CHANGES]),
    target: z.object({ type: z.enum(['application', 'gateway', 'operator', 'role']), id: z.string() }),
    before: Facts.describe('What would change, as it was when the change was proposed; of a role also who has it.'),
    after: Facts.describe('What it would be. Never a secret.'),
    status: z.enum(CHANGE_STATUSES),
    proposedBy: z.string().describe('`operator:` and their id.'),
    decidedBy: z.string().nullable().describe('`operator:` and their id.'),
    reason: z.string().nullable(),
    expiresAt: z.iso.datetime().describe('A change that nobody has confirmed by then comes to nothing.'),
    decidedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'PendingChange' });

export const PendingChanges = z
  .array(PendingChange)
  .describe('What waits for a second person. Until then everything stays as it is.');

const status = z.enum(CHANGE_STATUSES, 'is no status of a change').optional().describe('All unless told.');

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
