import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const PAYMENT_RULES = statement((db, $: Given<{ applicationId: bigint }>) =>
  db
    .selectFrom('applications')
    .select([
      'expiryMinutes',
      'minAmountMinor',
      'maxAmountMinor',
      // Null: every gateway.
      'gatewaysAllowed',
      // Gateways offered if a payment names none. Null: the default gateway.
      'checkoutGateways',
    ])
    .where('id', '=', $('applicationId')),
);

/** What operators have set for an application's payments. */
export type ApplicationPaymentRules = RowOf<typeof PAYMENT_RULES>;

export async function readPaymentRules(
  statements: Statements,
  applicationId: bigint,
): Promise<ApplicationPaymentRules> {
  const rules = await PAYMENT_RULES.first(statements, { applicationId });
  if (rules === undefined) {
    throw new Error('the application does not exist in this scope');
  }
  return rules;
}
