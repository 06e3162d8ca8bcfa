import { defineEntity, p } from '@mikro-orm/core';
import { DISPUTE_STATUSES } from '../../domain/dispute.ts';
import { MODES } from '../../domain/mode.ts';

export const DisputeSchema = defineEntity({
  name: 'Dispute',
  tableName: 'disputes',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint'),
    attemptId: p.bigint('bigint'),
    gateway: p.text(),
    storeId: p.text(),
    gatewayTxnId: p.text(),
    gatewayDisputeId: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    status: p.enum(DISPUTE_STATUSES).default('NOTICED'),
    /** The gateway's own words. */
    gatewayStatus: p.text().nullable(),
    reason: p.text().nullable(),
    amountMinor: p.bigint('bigint').nullable(),
    currency: p.text().nullable(),
    respondBy: p.datetime().nullable(),
    evidence: p.text().nullable(),
    endedAt: p.datetime().nullable(),
    queriedAt: p.datetime().nullable(),
    sweeps: p.integer().default(0),
    /** When the gateway is asked again. */
    nextSweepAt: p.datetime().nullable().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});
export class Dispute extends DisputeSchema.class {}
DisputeSchema.setClass(Dispute);
