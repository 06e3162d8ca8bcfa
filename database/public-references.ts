import type { Mode } from '../domain/mode.ts';
import type { Database, Scope } from './connection.ts';
import { paymentOf, type PaymentRecord, type PaymentRow } from './payments.ts';

export interface PublicPayment {
  readonly scope: Scope;
  readonly payment: PaymentRecord;
  readonly applicationName: string;
}

/** Native references: `pay_` and 22 base62 characters. Anything else is not even looked up. */
const REFERENCE = /^pay_[0-9A-Za-z]{22}$/;

/** The payment that a public reference opens, or null. Whoever holds the reference may see it, so it carries ≥ 128 bits. */
export async function findPublicPayment(database: Database, reference: string): Promise<PublicPayment | null> {
  if (!REFERENCE.test(reference)) {
    return null;
  }
  const [found] = await database.lookup<{ kind: string; target_id: string; application_id: string; mode: Mode }>(
    'select * from lenden_find_reference(?)',
    [reference],
  );
  if (found === undefined || found.kind !== 'payment') {
    return null;
  }
  const scope = { applicationId: BigInt(found.application_id), mode: found.mode };
  const [row] = await database.inOneTrip(scope, (statements) =>
    statements.execute<(PaymentRow & { application_name: string })[]>(
      'select p.*, a.name as application_name from payments p join applications a on a.id = p.application_id where p.id = ?',
      [found.target_id],
    ),
  );
  return row === undefined ? null : { scope, payment: paymentOf(row), applicationName: row.application_name };
}
