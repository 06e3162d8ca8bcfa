import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';
import type { ClockedWorkflow } from '../../domain/test-clock.ts';

/** A time that the workflow of a TEST object still has to skip. */
export const ClockSkipSchema = defineEntity({
  name: 'ClockSkip',
  tableName: 'clock_skips',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    paymentId: p.bigint('bigint').nullable(),
    invoiceId: p.bigint('bigint').nullable(),
    skipId: p.text(),
    workflow: p.text().$type<ClockedWorkflow>(),
    reference: p.text(),
    bySeconds: p.integer(),
    claimedUntil: p.datetime(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class ClockSkip extends ClockSkipSchema.class {}
ClockSkipSchema.setClass(ClockSkip);
