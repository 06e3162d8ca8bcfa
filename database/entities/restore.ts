import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';

/** When an older state of the database came back. */
export const RestoreSchema = defineEntity({
  name: 'Restore',
  tableName: 'restores',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    lastSealId: p.bigint('bigint'),
    restoredAt: p.datetime().defaultRaw('now()'),
  },
});
export class Restore extends RestoreSchema.class {}
RestoreSchema.setClass(Restore);

/** A search for disputes that a restore may have lost. */
export const DisputeSearchSchema = defineEntity({
  name: 'DisputeSearch',
  tableName: 'dispute_searches',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    since: p.datetime(),
    createdAt: p.datetime().defaultRaw('now()'),
    sweeps: p.integer().default(0),
    nextSweepAt: p.datetime().nullable().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});
export class DisputeSearch extends DisputeSearchSchema.class {}
DisputeSearchSchema.setClass(DisputeSearch);

/** Invoice numbers that customers hold and that no invoice has any more. */
export const LostInvoiceNumberSchema = defineEntity({
  name: 'LostInvoiceNumber',
  tableName: 'lost_invoice_numbers',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    firstNumber: p.bigint('bigint').primary(),
    lastNumber: p.bigint('bigint'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LostInvoiceNumber extends LostInvoiceNumberSchema.class {}
LostInvoiceNumberSchema.setClass(LostInvoiceNumber);
