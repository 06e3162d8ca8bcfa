import { z } from 'zod';
import { DISPUTE_STATUSES } from '../../domain/dispute.ts';
import { MODES } from '../../domain/mode.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter } from './filters.ts';

const Instant = z.iso.datetime();

export const DisputesQuery = z.object({
  ...listQuery(['id']),
  status: z.enum(DISPUTE_STATUSES, 'is not a status of a dispute').optional(),
  gateway: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is not the name of a gateway')
    .optional(),
  mode: ModeFilter.optional(),
  applicationId: IdText.optional(),
  paymentId: IdText.optional(),
});

export const DisputeDetail = z
  .object({
    id: z.int(),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    paymentId: z.int(),
    paymentReference: z.string(),
    gateway: z.string(),
    storeId: z.string(),
    gatewayTxnId: z.string().describe('The charge in dispute.'),
    gatewayDisputeId: z.string(),
    status: z
      .enum(DISPUTE_STATUSES)
      .describe(
        '`NOTICED`: a callback spoke of it, and the gateway was not asked yet. `CLOSED`: it ended before money was taken.',
      ),
    gatewayStatus: z.string().nullable().describe('The gateway’s own word.'),
    reason: z.string().nullable().describe('Why the payer disputes the charge, in the gateway’s words.'),
    amountMinor: z.int().nullable(),
    currency: z.string().nullable(),
    movedMinor: z
      .int()
      .describe('What payout lines have moved for all disputes of the charge. Negative: taken from you.'),
    case: z.string().nullable().describe('Its open case.'),
    respondBy: Instant.nullable().describe('Until when the shop may answer.'),
    endedAt: Instant.nullable(),
    queriedAt: Instant.nullable().describe('When the gateway last answered.'),
    createdAt: Instant,
    updatedAt: Instant,
  })
  .meta({ id: 'DisputeDetail' });
