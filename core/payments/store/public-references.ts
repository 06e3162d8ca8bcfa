import type { Mode } from '../../../domain/mode.ts';
import type { Database, Scope } from '../../../database/connection.ts';
import { readInvoice, type InvoiceRecord } from '../../invoices/store/invoices.ts';
import { invoiceRulesOf } from '../../invoices/store/invoice-overpayment.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from './payments.ts';

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
  const [found] = await database.lookup<{ kind: string; target_id: string; application_id: string; mode: Mode }>(
    'select * from lenden_find_reference(?)',
    [reference],
  );
  return found === undefined || found.kind !== kind
    ? null
    : { scope: { applicationId: BigInt(found.application_id), mode: found.mode }, targetId: BigInt(found.target_id) };
}

/** Returns the payment of a public reference, or null. */
export async function findPublicPayment(database: Database, reference: string): Promise<PublicPayment | null> {
  const found = await findReference(database, { reference, kind: 'payment' });
  if (found === null) {
    return null;
  }
  const { scope, targetId } = found;
  const [row] = await database.inOneTrip(scope, (statements) =>
    statements.execute<(PaymentRow & { application_name: string; receipts_enabled: boolean })[]>(
      `select ${PAYMENT_COLUMNS}, a.name as application_name, a.receipts_enabled
       from payments p join applications a on a.id = p.application_id where p.id = ?`,
      [targetId],
    ),
  );
  return row === undefined
    ? null
    : {
        scope,
        payment: paymentOf(row),
        applicationName: row.application_name,
        receiptsEnabled: row.receipts_enabled,
      };
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
  return database.inTransaction(scope, async (statements) => {
    const invoice = await readInvoice(statements, scope, targetId);
    const { applicationName } = await invoiceRulesOf(statements, scope);
    return invoice === null ? null : { scope, invoice, applicationName };
  });
}
