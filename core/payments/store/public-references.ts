import { sql } from 'kysely';
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

interface Found extends Scope {
  readonly id: bigint;
}

const FIND_PAYMENT = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom(sql<Found>`lenden_find_payment(${$('reference')})`.as('r'))
    .select(['r.id', 'r.applicationId', 'r.mode']),
);

const FIND_INVOICE = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom(sql<Found>`lenden_find_invoice(${$('reference')})`.as('r'))
    .select(['r.id', 'r.applicationId', 'r.mode']),
);

/**
 * Returns what a public reference names, or null. Anyone with the reference may see the object, so it has at least 128 bits if the contract leaves
 * room; otherwise failed lookups are rate-limited by address.
 */
async function findReference(
  database: Database,
  reference: string,
  find: typeof FIND_PAYMENT,
): Promise<{ readonly scope: Scope; readonly id: bigint } | null> {
  const found = REFERENCE.test(reference) ? await find.lookup(database, { reference }) : undefined;
  return found === undefined ? null : { scope: { applicationId: found.applicationId, mode: found.mode }, id: found.id };
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
  const found = await findReference(database, reference, FIND_PAYMENT);
  if (found === null) {
    return null;
  }
  const { scope, id } = found;
  const row = await database.withScope(scope, (statements) => READ_PAYMENT.first(statements, { id }), {
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
  const found = await findReference(database, reference, FIND_INVOICE);
  if (found === null) {
    return null;
  }
  const { scope, id } = found;
  return database.withScope(scope, async (statements) => {
    const invoice = await readInvoice(statements, scope, id);
    const { applicationName } = await invoiceRulesOf(statements, scope);
    return invoice === null ? null : { scope, invoice, applicationName };
  });
}
