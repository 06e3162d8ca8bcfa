import { voidInvoice } from './store/invoice-changes.ts';
import { openPaymentsOf } from './store/payments-of-invoice.ts';
import type { InvoiceRecord } from './store/invoices.ts';
import type { Statements } from '../../database/statements.ts';
import { dueMinorOf, isPastExpiry } from '../../domain/invoice-due.ts';
import { invoiceEventView, invoiceView } from '../../domain/invoice-view.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { FollowUp } from '../follow-up.ts';
import { recordAndDeliver } from './record-event.ts';

/** How long after the expiry of a started payment to check again, in case the notification of its end is lost. */
const LOOK_AGAIN_MS = 600_000;

export interface Expiring {
  /** Locked. */
  readonly invoice: InvoiceRecord;
  readonly now: Date;
  readonly today: PlainDate;
}

export interface Expiry {
  /** Its current state. */
  readonly invoice: InvoiceRecord;
  /** Unix time in milliseconds of the next expiry check; null if there is none. */
  readonly nextAtMs: number | null;
  readonly followUps: readonly FollowUp[];
}

/**
 * Ends an invoice that is unpaid at its expiry. After the expiry no payment can be started, but one started in time may still succeed. The invoice
 * ends only when none of its payments is open, so that no money arrives for an invoice that has just ended.
 */
export async function expireInvoice(
  deps: CoreDependencies,
  statements: Statements,
  { invoice, now, today }: Expiring,
): Promise<Expiry> {
  const { expiresAt } = invoice;
  if (expiresAt === null || dueMinorOf(invoice) === 0n || invoice.paidMinor > 0n) {
    return { invoice, nextAtMs: null, followUps: [] };
  }
  if (!isPastExpiry(invoice, now)) {
    return { invoice, nextAtMs: expiresAt.getTime(), followUps: [] };
  }
  const open = await openPaymentsOf(statements, invoice.id);
  if (open.length > 0) {
    const ends = open.map((payment) => payment.expiresAt.getTime());
    return { invoice, nextAtMs: Math.max(now.getTime(), ...ends) + LOOK_AGAIN_MS, followUps: [] };
  }
  const expired = await voidInvoice(statements, invoice, { expired: true });
  return { invoice: expired, nextAtMs: null, followUps: await recordExpired(deps, statements, expired, today) };
}

function recordExpired(
  deps: CoreDependencies,
  statements: Statements,
  expired: InvoiceRecord,
  today: PlainDate,
): Promise<FollowUp[]> {
  const view = invoiceView(expired, { webUrl: deps.webUrl, today, payments: [] });
  const event = { type: 'invoice.voided' as const, sequence: expired.eventSequence, data: invoiceEventView(view) };
  return recordAndDeliver(deps, statements, expired, event);
}
