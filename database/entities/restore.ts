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
