import { sql } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import type { Database, Scope } from '../../../database/connection.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { readInvoice, type InvoiceRecord } from '../../invoices/store/invoices.ts';
import { invoiceRulesOf } from '../../invoices/store/invoice-overpayment.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

export interface PublicPayment {
  readonly scope: Scope;
  readonly payment: PaymentRecord;
  readonly applicationName: string;
  /** Whether payers can get receipts. */
  readonly receiptsEnabled: boolean;
}

/** References of the native, OwnPay's and ShadhinPay's contract. Anything else is not looked up. */
const REFERENCE = /^((?:pay|sp_inv)_[0-9A-Za-z]{22}|txn_[0-9a-f]{16}|PAY_\d{8}_[0-9A-Z]{6})$/;

interface Found {
  readonly scope: Scope;
  readonly targetId: bigint;
}

interface Referenced {
  readonly kind: 'payment' | 'invoice';
  readonly targetId: bigint;
  readonly applicationId: bigint;
  readonly mode: Mode;
}

const FIND_REFERENCE = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom(sql<Referenced>`lenden_find_reference(${$('reference')})`.as('r'))
    .select(['r.kind', 'r.targetId', 'r.applicationId', 'r.mode']),
);

/**
 * Returns what a public reference of this kind names, or null. Anyone with the reference may see the object, so it has at least 128 bits if the
 * contract leaves room; otherwise failed lookups are rate-limited by address.
 */
async function findReference(
  database: Database,
  { reference, kind }: { readonly reference: string; readonly kind: 'payment' | 'invoice' },
): Promise<Found | null> {
  if (!REFERENCE.test(reference)) {
    return null;
  }
  const found = await FIND_REFERENCE.lookup(database, { reference });
  return found === undefined || found.kind !== kind
    ? null
    : { scope: { applicationId: found.applicationId, mode: found.mode }, targetId: found.targetId };
}

const READ_PAYMENT = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(PAYMENT)
    .select(['a.name as applicationName', 'a.receiptsEnabled'])
    .where('p.id', '=', $('id')),
);

/** Returns the payment of a public reference, or null. */
export async function findPublicPayment(database: Database, reference: string): Promise<PublicPayment | null> {
  const found = await findReference(database, { reference, kind: 'payment' });
  if (found === null) {
    return null;
  }
  const { scope, targetId } = found;
  const row = await database.withScope(scope, (statements) => READ_PAYMENT.first(statements, { id: targetId }), {
    oneTrip: true,
  });
  if (row === undefined) {
    return null;
  }
  const { applicationName, receiptsEnabled, ...payment } = row;
  return { scope, payment, applicationName, receiptsEnabled };
}

export interface PublicInvoice {
  readonly scope: Scope;
  readonly invoice: InvoiceRecord;
  readonly applicationName: string;
}

/** Returns the invoice of a payable link, or null. */
export async function findPublicInvoice(database: Database, reference: string): Promise<PublicInvoice | null> {
  const found = await findReference(database, { reference, kind: 'invoice' });
  if (found === null) {
    return null;
  }
  const { scope, targetId } = found;
  return database.withScope(scope, async (statements) => {
    const invoice = await readInvoice(statements, scope, targetId);
    const { applicationName } = await invoiceRulesOf(statements, scope);
    return invoice === null ? null : { scope, invoice, applicationName };
  });
}
