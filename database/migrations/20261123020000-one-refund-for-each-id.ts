import { Migration } from '@mikro-orm/migrations';

/** What a gateway gave back once ends one of our refunds, also where it answers a second one with the id of the first. */
export class OneRefundForEachIdMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `create unique index refunds_one_for_each_id on refunds (gateway, mode, store_id, gateway_refund_id)
       where gateway_refund_id is not null`,
    );
  }
}
