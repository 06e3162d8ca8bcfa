import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';

const LedgerAccountSchema = defineEntity({
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

const LedgerTransactionSchema = defineEntity({
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
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class LedgerTransaction extends LedgerTransactionSchema.class {}
LedgerTransactionSchema.setClass(LedgerTransaction);

const LedgerPostingSchema = defineEntity({
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
