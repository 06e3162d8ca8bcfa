import type { Mode } from '../../../domain/mode.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** How the customer of a payment can be reached, as the application said when it created the payment. */
export interface CustomerContact {
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
}

// The database refuses an operator these columns, except through this function.
const READ = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('payments')
    .select((eb) => [
      'applicationId',
      'mode',
      eb.fn<CustomerContact | null>('lenden_customer_contact', ['id']).as('contact'),
    ])
    .where('id', '=', $('paymentId')),
);

/** Returns the contact of one payment's customer; null if the payment is not in the operator's view. */
export async function readCustomerContact(
  statements: Statements,
  paymentId: bigint,
): Promise<{
  readonly application: { readonly id: bigint; readonly mode: Mode };
  readonly contact: CustomerContact;
} | null> {
  const row = await READ.first(statements, { paymentId });
  return row === undefined || row.contact === null
    ? null
    : { application: { id: row.applicationId, mode: row.mode }, contact: row.contact };
}
