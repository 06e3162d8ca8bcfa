import { Migration } from '@mikro-orm/migrations';

/** Invoices of ShadhinPay's contract: they expire at an instant, tell whether they were opened, and lead their payers back. */
export class ShadhinpayInvoicesMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  `alter table invoices
    drop constraint invoices_reference_check,
    add constraint invoices_reference_check check (reference ~ '^(pay|sp_inv)_[0-9A-Za-z]{22}$'),
    -- The contract in which it was made: its events and payments speak it.
    add column contract text not null default 'native' check (contract in ('native', 'shadhinpay')),
    -- Shown within its number, where the contract has the business there. The number itself is of the one counter.
    add column number_label text check (number_label ~ '^HB_[0-9a-f]{4}$'),
    add column customer_phone text,
    -- Where a payer goes after the payment; null: to the invoice's page.
    add column return_url text,
    -- Null: never.
    add column expires_at timestamptz,
    -- When its page was first opened, since it was issued or since the last attempt to pay that came to nothing.
    add column viewed_at timestamptz,
    -- Void since it was unpaid then, and not since somebody wanted it so.
    add column expired_at timestamptz,
    add constraint invoices_expired_check check (expired_at is null or (status = 'VOID' and expires_at is not null))`,
];
