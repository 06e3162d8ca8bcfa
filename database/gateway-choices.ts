import type { PaymentStatus, AttemptStatus } from '../domain/payment.ts';
import type { Statements } from './statements.ts';

/** Payers change their minds; programs that flip for ever are stopped. */
export const CHOICES_MAX = 10;

export interface GatewayChoice {
  readonly paymentId: bigint;
  readonly gateway: string;
  /** The gateway's order id of the attempt, should one be begun. */
  readonly reference: string;
  /** The environment's store, where operators have chosen none. */
  readonly storeId: string | null;
}

export type ChoiceOutcome =
  /** An attempt waits to be opened; `reference` names it. */
  | { readonly kind: 'chosen'; readonly reference: string }
  /** The payer has not changed his mind: that attempt goes on. */
  | { readonly kind: 'kept'; readonly reference: string }
  /** Nothing is to be chosen any more: the payment has ended, is expired, is looked at, or is being paid. */
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
 * Writes down where the payer wants to pay: a new attempt, whose session the workflow opens, in the place of the one before. The row is
 * locked first and read in a statement of its own, so that of two tabs one is the last and sees the other's attempt. Call it inside a
 * transaction.
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
    throw new Error('the scope has no such payment');
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
