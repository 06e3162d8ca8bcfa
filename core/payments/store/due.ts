import type { Statements } from '../../../database/statements.ts';
import { optional } from '../../../database/read-row.ts';
import type { Mode } from '../../../domain/mode.ts';
import { REVIEW_REJECTED, type PaymentStatus } from '../../../domain/payment.ts';
import type { PaymentHandle } from '../../dispatch.ts';

/** What the sweeper needs to know about a payment. */
export interface SweptPayment {
  readonly handle: PaymentHandle;
  readonly status: PaymentStatus;
  readonly underReview: boolean;
  readonly cancelRequested: boolean;
  /** The payer has chosen a gateway whose page was not opened. */
  readonly choiceWaits: boolean;
}

export interface SweptPaymentRow {
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  amount_minor: string;
  currency: string;
  gateway: string | null;
  invoice_id: string | null;
  status: PaymentStatus;
  cancel_requested_at: Date | null;
  review_reason: string | null;
  choice_waits: boolean;
}

/** Columns of `payments p` and `applications a` that `sweptPaymentOf` reads. */
export const SWEPT_PAYMENT_COLUMNS = `p.reference, p.application_id, a.name as application_name, p.mode, p.amount_minor, p.currency, p.gateway,
  p.status, p.cancel_requested_at, p.review_reason, p.invoice_id,
  p.gateway_choices is not null and p.expires_at > lenden_now(p.clock_offset) and exists (select 1 from payment_attempts waiting
    where waiting.payment_id = p.id and waiting.superseded_at is null and waiting.session_key is null) as choice_waits`;

export function sweptPaymentOf(row: SweptPaymentRow): SweptPayment {
  return {
    handle: {
      reference: row.reference,
      applicationId: BigInt(row.application_id),
      applicationName: row.application_name,
      mode: row.mode,
      amount: { amountMinor: BigInt(row.amount_minor), currency: row.currency },
      gateway: row.gateway,
      invoiceId: optional(row.invoice_id, BigInt),
    },
    status: row.status,
    underReview: row.review_reason !== null,
    cancelRequested: row.cancel_requested_at !== null,
    choiceWaits: row.choice_waits,
  };
}

/** Takes open payments that are due for a check, and postpones their next one by a minute. */
export async function takeDuePayments(statements: Statements, max: number): Promise<SweptPayment[]> {
  const rows = await statements.execute<SweptPaymentRow[]>(
    `with due as (
       select id from payments where status in ('CREATED', 'PENDING') and next_sweep_at <= now()
       order by next_sweep_at limit ${max} for update skip locked)
     update payments p set next_sweep_at = now() + interval '1 minute' from due, applications a
     where p.id = due.id and a.id = p.application_id returning ${SWEPT_PAYMENT_COLUMNS}`,
  );
  return rows.map(sweptPaymentOf);
}

/** Postpones the next check of payments whose workflow runs until they should have ended. */
export async function postponeUntilExpiry(statements: Statements, references: readonly string[]): Promise<void> {
  await statements.execute(
    `update payments set next_sweep_at = greatest(now() + interval '5 minutes', expires_at + interval '1 minute')
     where reference = any(string_to_array(?, ',')) and status in ('CREATED', 'PENDING')`,
    [references.join(',')],
  );
}

export async function isPaymentOpen(statements: Statements, reference: string): Promise<boolean> {
  const open = await statements.execute<object[]>(
    `select 1 from payments where reference = ? and status in ('CREATED', 'PENDING')`,
    [reference],
  );
  return open.length > 0;
}

/** Returns those whose workflow still has work to do: open ones, and those rejected under review, whose money it still has to look for. */
export async function readUnfinishedPayments(
  statements: Statements,
  references: readonly string[],
): Promise<SweptPayment[]> {
  const rows = await statements.execute<SweptPaymentRow[]>(
    `select ${SWEPT_PAYMENT_COLUMNS} from payments p join applications a on a.id = p.application_id
     where p.reference = any(string_to_array(?, ',')) and (p.status in ('CREATED', 'PENDING') or p.failure_code = '${REVIEW_REJECTED}')`,
    [references.join(',')],
  );
  return rows.map(sweptPaymentOf);
}
