import type { PaymentStatus, AttemptStatus } from '../../../domain/payment.ts';
import type { Statements } from '../../../database/statements.ts';

/** Payers may change their minds. This stops programs that switch forever. */
export const CHOICES_MAX = 10;

export interface GatewayChoice {
  readonly paymentId: bigint;
  readonly gateway: string;
  /** The gateway's order id for a new attempt, if one is started. */
  readonly reference: string;
  /** The environment's store, used if operators have chosen none. */
  readonly storeId: string | null;
}

export type ChoiceOutcome =
  /** A new attempt waits to be opened; `reference` names it. */
  | { readonly kind: 'chosen'; readonly reference: string }
  /** The payer chose the same gateway again: that attempt continues. */
  | { readonly kind: 'kept'; readonly reference: string }
  /** No choice is possible: the payment has ended or expired, is under review, or is being paid. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'not-offered' }
  | { readonly kind: 'too-often' };

interface ChoosingRow {
  status: PaymentStatus;
  settled: boolean;
  offered: boolean;
  attempts: number;
  newest: { reference: string; gateway: string; status: AttemptStatus; superseded: boolean } | null;
}

const OPENABLE: readonly AttemptStatus[] = ['CREATED', 'UNKNOWN', 'OPEN'];

/**
 * Records where the payer wants to pay: a new attempt, whose session the workflow opens, replaces the previous one. The row is locked first and read
 * in a separate statement, so that the later of two browser tabs sees the other's attempt. Must be called in a transaction.
 */
export async function chooseGateway(statements: Statements, choice: GatewayChoice): Promise<ChoiceOutcome> {
  const { paymentId, gateway, reference, storeId } = choice;
  await statements.execute('select 1 from payments where id = ? for update', [paymentId]);
  const [row] = await statements.execute<ChoosingRow[]>(
    `select status, review_reason is not null or cancel_requested_at is not null
         or expires_at <= lenden_now(clock_offset) as settled,
       ?::text = any(gateway_choices) and coalesce(lenden_store_for(application_id, mode, ?::text), ?::text) is not null as offered,
       (select count(*)::integer from payment_attempts where payment_id = p.id) as attempts,
       (select to_json(t) from (select reference, gateway, status, superseded_at is not null as superseded from payment_attempts
         where payment_id = p.id order by number desc limit 1) t) as newest
     from payments p where id = ?`,
    [gateway, gateway, storeId, paymentId],
  );
  if (row === undefined) {
    throw new Error('the payment does not exist in this scope');
  }
  const { newest } = row;
  const undecided = newest === null || newest.superseded || OPENABLE.includes(newest.status);
  if ((row.status !== 'CREATED' && row.status !== 'PENDING') || row.settled || !undecided) {
    return { kind: 'closed' };
  }
  if (!row.offered) {
    return { kind: 'not-offered' };
  }
  if (newest !== null && newest.gateway === gateway && !newest.superseded) {
    return { kind: 'kept', reference: newest.reference };
  }
  if (row.attempts >= CHOICES_MAX) {
    return { kind: 'too-often' };
  }
  await statements.execute(
    `with left_behind as (
       update payment_attempts set superseded_at = now(), updated_at = now() where payment_id = ?::bigint and superseded_at is null),
     begun as (
       insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id)
       select application_id, mode, id, ?::integer, ?, ?::text, coalesce(lenden_store_for(application_id, mode, ?::text), ?::text)
       from payments where id = ?::bigint)
     update payments set gateway = ?, gateway_redirect_url = null, next_sweep_at = now() + interval '30 seconds', updated_at = now()
     where id = ?::bigint`,
    [paymentId, row.attempts + 1, reference, gateway, gateway, storeId, paymentId, gateway, paymentId],
  );
  return { kind: 'chosen', reference };
}
