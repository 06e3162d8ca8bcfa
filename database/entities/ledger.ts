import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';

export const LedgerAccountSchema = defineEntity({
  name: 'LedgerAccount',
  tableName: 'ledger_accounts',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    currency: p.text(),
    name: p.text(),
    normalSide: p.text().$type<'debit' | 'credit'>(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerAccount extends LedgerAccountSchema.class {}
LedgerAccountSchema.setClass(LedgerAccount);

export const LedgerTransactionSchema = defineEntity({
  name: 'LedgerTransaction',
  tableName: 'ledger_transactions',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    currency: p.text(),
    causeType: p.text(),
    causeId: p.text(),
    kind: p.text(),
    reversesId: p.bigint('bigint').nullable(),
    /** The number of the writing transaction. Only sealing reads it. */
    xid: p.string().columnType('xid8').defaultRaw('pg_current_xact_id()').lazy(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerTransaction extends LedgerTransactionSchema.class {}
LedgerTransactionSchema.setClass(LedgerTransaction);

export const LedgerPostingSchema = defineEntity({
  name: 'LedgerPosting',
  tableName: 'ledger_postings',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    transactionId: p.bigint('bigint'),
    applicationId: p.bigint('bigint'),
    mode: p.enum(MODES),
    currency: p.text(),
    debitAccountId: p.bigint('bigint'),
    creditAccountId: p.bigint('bigint'),
    amountMinor: p.bigint('bigint'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerPosting extends LedgerPostingSchema.class {}
LedgerPostingSchema.setClass(LedgerPosting);

/** A link of the hash chain over the ledger. */
export const LedgerSealSchema = defineEntity({
  name: 'LedgerSeal',
  tableName: 'ledger_seals',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(false),
    encoding: p.smallint(),
    /** Transaction numbers mean nothing in another cluster. */
    cluster: p.text(),
    throughXid: p.string().columnType('xid8'),
    throughId: p.bigint('bigint'),
    transactions: p.integer(),
    totalTransactions: p.bigint('bigint'),
    rowCount: p.integer(),
    previousHash: p.uint8array(),
    hash: p.uint8array(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerSeal extends LedgerSealSchema.class {}
LedgerSealSchema.setClass(LedgerSeal);

/** What a verification of the whole ledger found. */
export const LedgerVerificationSchema = defineEntity({
  name: 'LedgerVerification',
  tableName: 'ledger_verifications',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    findingCount: p.integer(),
    firstFinding: p.text().nullable(),
    lastSealId: p.bigint('bigint').nullable(),
    sealedTransactions: p.bigint('bigint'),
    witnesses: p.integer().nullable(),
    queriedCharges: p.integer().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerVerification extends LedgerVerificationSchema.class {}
LedgerVerificationSchema.setClass(LedgerVerification);

/** A row of the ledger that a seal covers. */
export const LedgerSealedRowSchema = defineEntity({
  name: 'LedgerSealedRow',
  tableName: 'ledger_sealed_rows',
  properties: {
    sealId: p.bigint('bigint').primary(),
    position: p.integer().primary(),
    tableName: p.text().$type<'ledger_accounts' | 'ledger_transactions' | 'ledger_postings'>(),
    rowId: p.bigint('bigint'),
    digest: p.uint8array(),
  },
});
export class LedgerSealedRow extends LedgerSealedRowSchema.class {}
LedgerSealedRowSchema.setClass(LedgerSealedRow);
