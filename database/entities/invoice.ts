import { defineEntity, p } from '@mikro-orm/core';
import type { Contract } from '../../domain/contract.ts';
import { INVOICE_STATUSES } from '../../domain/invoice.ts';
import { NOTICE_KINDS, type Reminders } from '../../domain/invoice-notices.ts';
import { INVOICE_ROUNDINGS } from '../../domain/invoice-totals.ts';
import { MODES } from '../../domain/mode.ts';
import { clockOffset } from './clock-offset.ts';

/** The last invoice number of an application. */
export const InvoiceCounterSchema = defineEntity({
  name: 'InvoiceCounter',
  tableName: 'invoice_counters',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    lastNumber: p.bigint('bigint'),
  },
});
export class InvoiceCounter extends InvoiceCounterSchema.class {}
InvoiceCounterSchema.setClass(InvoiceCounter);

/** Within JSON, amounts and shares are text, since JSON has no 64-bit integers. `core/invoices/store/stored-amounts.ts` reads and writes them. */
export type StoredReduction = { readonly amountMinor: string } | { readonly basisPoints: string };

export interface StoredRate {
  readonly name: string;
  readonly basisPoints: string;
}

export type StoredTax = StoredRate | { readonly name: string; readonly amountMinor: string };

export interface StoredTaxTotal {
  readonly name: string;
  readonly basisPoints: string | null;
  readonly amountMinor: string;
}

export const InvoiceSchema = defineEntity({
  name: 'Invoice',
  tableName: 'invoices',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    reference: p.text(),
    contract: p.text().$type<Extract<Contract, 'native' | 'shadhinpay'>>().default('native'),
    status: p.enum(INVOICE_STATUSES).default('DRAFT'),
    number: p.bigint('bigint').nullable(),
    numberLabel: p.text().nullable(),
    currency: p.text(),
    customerReference: p.text(),
    customerEmail: p.text().nullable(),
    customerPhone: p.text().nullable(),
    customerName: p.text().nullable(),
    customerAddress: p.text().nullable(),
    language: p.text().$type<'en' | 'bn'>(),
    notes: p.text().nullable(),
    rounding: p.enum(INVOICE_ROUNDINGS),
    discount: p.json<StoredReduction>().nullable(),
    taxes: p.json<readonly StoredTax[]>(),
    taxTotals: p.json<readonly StoredTaxTotal[]>(),
    subtotalMinor: p.bigint('bigint'),
    discountMinor: p.bigint('bigint'),
    taxMinor: p.bigint('bigint'),
    totalMinor: p.bigint('bigint'),
    paidMinor: p.bigint('bigint').default(0),
    partialPayments: p.boolean(),
    reminders: p.json<Reminders>(),
    dueDate: p.date().nullable(),
    /** The day on which the next unpaid part is due. */
    nextDueDate: p.date().nullable(),
    returnUrl: p.text().nullable(),
    expiresAt: p.datetime().nullable(),
    /** When its page was first opened, since it was issued or since the last attempt to pay that failed. */
    viewedAt: p.datetime().nullable(),
    pausedAt: p.datetime().nullable(),
    issuedAt: p.datetime().nullable(),
    paidAt: p.datetime().nullable(),
    voidedAt: p.datetime().nullable(),
    /** Set if it is void because it was unpaid at `expiresAt`. */
    expiredAt: p.datetime().nullable(),
    eventSequence: p.integer().default(0),
    nextSweepAt: p.datetime().nullable(),
    clockOffset: clockOffset(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Invoice extends InvoiceSchema.class {}
InvoiceSchema.setClass(Invoice);

export const InvoiceItemSchema = defineEntity({
  name: 'InvoiceItem',
  tableName: 'invoice_items',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    invoiceId: p.bigint('bigint'),
    position: p.integer(),
    description: p.text(),
    qty: p.bigint('bigint'),
    unitAmountMinor: p.bigint('bigint'),
    discount: p.json<StoredReduction>().nullable(),
    taxes: p.json<readonly StoredRate[]>(),
    lineTotalMinor: p.bigint('bigint'),
    discountMinor: p.bigint('bigint'),
    taxMinor: p.bigint('bigint'),
  },
});
export class InvoiceItem extends InvoiceItemSchema.class {}
InvoiceItemSchema.setClass(InvoiceItem);

export const InvoiceInstallmentSchema = defineEntity({
  name: 'InvoiceInstallment',
  tableName: 'invoice_installments',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    invoiceId: p.bigint('bigint'),
    position: p.integer(),
    dueDate: p.date(),
    amountMinor: p.bigint('bigint'),
  },
});
export class InvoiceInstallment extends InvoiceInstallmentSchema.class {}
InvoiceInstallmentSchema.setClass(InvoiceInstallment);

/** A reminder of a due date, given once, and the outbox of its email. */
export const InvoiceNoticeSchema = defineEntity({
  name: 'InvoiceNotice',
  tableName: 'invoice_notices',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    invoiceId: p.bigint('bigint'),
    kind: p.enum(NOTICE_KINDS),
    dueDate: p.date(),
    offsetDays: p.integer(),
    skipped: p.boolean(),
    emailStatus: p.text().$type<'NONE' | 'PENDING' | 'SENT' | 'REFUSED' | 'GIVEN_UP'>(),
    emailTries: p.integer().default(0),
    emailDueAt: p.datetime().nullable(),
    emailError: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class InvoiceNotice extends InvoiceNoticeSchema.class {}
InvoiceNoticeSchema.setClass(InvoiceNotice);

/** An application's branding of its invoices and receipts. */
export const InvoiceTemplateSchema = defineEntity({
  name: 'InvoiceTemplate',
  tableName: 'invoice_templates',
  properties: {
    applicationId: p.bigint('bigint').primary().autoincrement(false),
    logoUrl: p.text().nullable(),
    companyName: p.text().nullable(),
    companyAddress: p.text().nullable(),
    contactDetails: p.text().nullable(),
    footerNote: p.text().nullable(),
    accentColor: p.text().nullable(),
    logo: p.uint8array().nullable(),
    logoType: p.text().$type<'png' | 'jpeg'>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class InvoiceTemplate extends InvoiceTemplateSchema.class {}
InvoiceTemplateSchema.setClass(InvoiceTemplate);
