import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import {
  PAYOUT_FILE_STATES,
  PAYOUT_FORMATS,
  PAYOUT_SOURCE_KINDS,
  PAYOUT_STATUSES,
} from '../../domain/payouts/payout.ts';

export const PayoutMappingVersionSchema = defineEntity({
  name: 'PayoutMappingVersion',
  tableName: 'payout_mappings',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    gateway: p.text(),
    /** Null: every store at the gateway that has none of its own. */
    storeId: p.text().nullable(),
    version: p.integer(),
    mapping: p.text(),
    operatorId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class PayoutMappingVersion extends PayoutMappingVersionSchema.class {}
PayoutMappingVersionSchema.setClass(PayoutMappingVersion);

export const PayoutFileSchema = defineEntity({
  name: 'PayoutFile',
  tableName: 'payout_files',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    reference: p.text(),
    mode: p.enum(MODES),
    /** Null for a bank statement, like `storeId`. */
    gateway: p.text().nullable(),
    storeId: p.text().nullable(),
    /** The owner of the store; null: the installation. */
    storeApplicationId: p.bigint('bigint').nullable(),
    kind: p.enum(PAYOUT_SOURCE_KINDS),
    format: p.enum(PAYOUT_FORMATS),
    name: p.text(),
    mappingId: p.bigint('bigint').nullable(),
    operatorId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    byteCount: p.bigint('bigint').default(0),
    digest: p.uint8array().nullable(),
    state: p.enum(PAYOUT_FILE_STATES).default('UPLOADED'),
    problem: p.text().nullable(),
    problemText: p.text().nullable(),
    problemLine: p.integer().nullable(),
    problemByte: p.bigint('bigint').nullable(),
    /** Where the import goes on: the rows that were stored or rejected. */
    rowsRead: p.integer().default(0),
    linesAdded: p.integer().default(0),
    linesKnown: p.integer().default(0),
    linesRejected: p.integer().default(0),
    /** The days of the lines that were added: they are reconciled after the import. */
    firstPeriod: p.date().nullable(),
    lastPeriod: p.date().nullable(),
    finishedAt: p.datetime().nullable(),
    nextSweepAt: p.datetime().defaultRaw("now() + interval '1 minute'"),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class PayoutFile extends PayoutFileSchema.class {}
PayoutFileSchema.setClass(PayoutFile);

export const PayoutFileChunkSchema = defineEntity({
  name: 'PayoutFileChunk',
  tableName: 'payout_file_chunks',
  properties: {
    fileId: p.bigint('bigint').primary().autoincrement(false),
    number: p.integer().primary(),
    bytes: p.uint8array(),
  },
});
export class PayoutFileChunk extends PayoutFileChunkSchema.class {}
PayoutFileChunkSchema.setClass(PayoutFileChunk);

export const PayoutFileRejectionSchema = defineEntity({
  name: 'PayoutFileRejection',
  tableName: 'payout_file_rejections',
  properties: {
    fileId: p.bigint('bigint').primary().autoincrement(false),
    lineNumber: p.integer().primary(),
    code: p.text(),
    columnName: p.text().nullable(),
    reason: p.text(),
  },
});
export class PayoutFileRejection extends PayoutFileRejectionSchema.class {}
PayoutFileRejectionSchema.setClass(PayoutFileRejection);

export const PayoutSchema = defineEntity({
  name: 'Payout',
  tableName: 'payouts',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    reference: p.text(),
    mode: p.enum(MODES),
    gateway: p.text(),
    storeId: p.text(),
    storeApplicationId: p.bigint('bigint').nullable(),
    gatewayReference: p.text(),
    currency: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    status: p.enum(PAYOUT_STATUSES).default('EXPECTED'),
    arrivesOn: p.date().nullable(),
    itemized: p.boolean().default(true),
    statedMinor: p.bigint('bigint').nullable(),
    bankMinor: p.bigint('bigint').nullable(),
    bankReference: p.text().nullable(),
    lines: p.integer().default(0),
    linesMinor: p.bigint('bigint').default(0),
    acceptedResidualMinor: p.bigint('bigint').nullable(),
    /** What had arrived before later entries moved it. */
    bankBaseMinor: p.bigint('bigint').nullable(),
    bankInDoubt: p.boolean().default(false),
    bankStatedBy: p.bigint('bigint').nullable(),
    bankStatedAt: p.datetime().nullable(),
    bankStatedMovedMinor: p.bigint('bigint').nullable(),
    needsBooking: p.boolean().default(false),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});
export class Payout extends PayoutSchema.class {}
PayoutSchema.setClass(Payout);

export const StoredPayoutLineSchema = defineEntity({
  name: 'StoredPayoutLine',
  tableName: 'payout_lines',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    mode: p.enum(MODES),
    gateway: p.text(),
    storeId: p.text(),
    payoutId: p.bigint('bigint').nullable(),
    fileId: p.bigint('bigint'),
    fileLine: p.integer(),
    fingerprint: p.uint8array(),
    ordinal: p.integer(),
    /** The day whose run takes it up. */
    period: p.date(),
    kind: p.enum(PAYOUT_LINE_KINDS),
    payoutReference: p.text().nullable(),
    lineReference: p.text().nullable(),
    gatewayTxnId: p.text().nullable(),
    attemptReference: p.text().nullable(),
    currency: p.text(),
    grossMinor: p.bigint('bigint'),
    feeMinor: p.bigint('bigint'),
    taxMinor: p.bigint('bigint'),
    netMinor: p.bigint('bigint'),
    originalCurrency: p.text().nullable(),
    exchangeRate: p.text().nullable(),
    occurredAt: p.datetime().nullable(),
    paidOutOn: p.date().nullable(),
    description: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class StoredPayoutLine extends StoredPayoutLineSchema.class {}
StoredPayoutLineSchema.setClass(StoredPayoutLine);

export const StoredBankEntrySchema = defineEntity({
  name: 'StoredBankEntry',
  tableName: 'bank_entries',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    mode: p.enum(MODES),
    fileId: p.bigint('bigint'),
    fileLine: p.integer(),
    fingerprint: p.uint8array(),
    ordinal: p.integer(),
    account: p.text(),
    currency: p.text(),
    amountMinor: p.bigint('bigint'),
    bookedOn: p.date(),
    valueOn: p.date().nullable(),
    bankReference: p.text().nullable(),
    remittance: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    payoutId: p.bigint('bigint').nullable(),
  },
});
export class StoredBankEntry extends StoredBankEntrySchema.class {}
StoredBankEntrySchema.setClass(StoredBankEntry);

export const StoredBankStatementSchema = defineEntity({
  name: 'StoredBankStatement',
  tableName: 'bank_statements',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    mode: p.enum(MODES),
    fileId: p.bigint('bigint'),
    number: p.integer(),
    account: p.text(),
    currency: p.text(),
    openingMinor: p.bigint('bigint'),
    openedOn: p.date().nullable(),
    closingMinor: p.bigint('bigint'),
    closedOn: p.date().nullable(),
  },
});
export class StoredBankStatement extends StoredBankStatementSchema.class {}
StoredBankStatementSchema.setClass(StoredBankStatement);
