import { Migration } from '@mikro-orm/migrations';

/** ShadhinPay's contract: an application is a business there, its order references are unique, its refunds have references of their own. */
export class ShadhinpayMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  `alter table applications
    -- By which ShadhinPay's contract names the application; made with its first key.
    add column shadhinpay_client_id text check (shadhinpay_client_id ~ '^HM_[0-9a-f]{8}$'),
    add column shadhinpay_business_id text unique check (shadhinpay_business_id ~ '^HB_[0-9a-f]{8}$'),
    -- Which of the contract's events are told. Null: those that are on by default.
    add column shadhinpay_events text[]`,
  // Other contracts may repeat theirs. It also finds a payment by its order.
  `create unique index payments_merchant_reference_key on payments (application_id, mode, merchant_reference) where contract = 'shadhinpay'`,
  `alter table refunds
    drop constraint refunds_reference_check,
    add constraint refunds_reference_check check (reference ~ '^(ref_[0-9A-Za-z]{22}|REF_[0-9]{8}_[0-9A-Z]{6})$'),
    -- The merchant's own reference of the refund, where the contract has one.
    add column merchant_reference text`,
];
