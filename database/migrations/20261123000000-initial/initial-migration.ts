import { Migration } from '@mikro-orm/migrations';
import { APPLICATIONS } from './applications.ts';
import { CALLBACKS } from './callbacks.ts';
import { DECISIONS } from './decisions.ts';
import { DISPUTES } from './disputes.ts';
import { GATEWAYS } from './gateways.ts';
import { INVOICES } from './invoices.ts';
import { UNAPPLIED_PAYMENTS } from './unapplied-payments.ts';
import { LEDGER } from './ledger.ts';
import { MANUAL_PAYMENTS } from './manual-payments.ts';
import { OPERATORS } from './operators.ts';
import { PAYMENTS } from './payments.ts';
import { REFUNDS } from './refunds.ts';
import { REPORTS } from './reports.ts';
import { RESTORES } from './restores.ts';
import { FUNCTION_OWNER_MAY_CREATE, FUNCTION_OWNER_MAY_NOT_CREATE, ROLES, SCOPES } from './roles.ts';
import { PAYOUTS, RECONCILIATION } from './payouts.ts';
import { TEST_CLOCKS } from './test-clocks.ts';
import { WEBHOOKS } from './webhooks.ts';

/** Creates the schema of the first release. Tables are created after the tables that they reference. */
export class InitialMigration extends Migration {
  override async up(): Promise<void> {
    const statements = [
      ...ROLES,
      ...SCOPES,
      FUNCTION_OWNER_MAY_CREATE,
      ...APPLICATIONS,
      ...OPERATORS,
      ...GATEWAYS,
      ...INVOICES,
      ...PAYMENTS,
      ...CALLBACKS,
      ...UNAPPLIED_PAYMENTS,
      ...REFUNDS,
      ...MANUAL_PAYMENTS,
      ...DECISIONS,
      ...WEBHOOKS,
      ...TEST_CLOCKS,
      ...LEDGER,
      ...REPORTS,
      ...DISPUTES,
      ...PAYOUTS,
      ...RECONCILIATION,
      ...RESTORES,
      FUNCTION_OWNER_MAY_NOT_CREATE,
    ];
    for (const statement of statements) {
      this.addSql(statement);
    }
  }
}
