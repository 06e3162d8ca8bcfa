import type { Statements } from '../../database/statements.ts';
import {
  SWEPT_PAYMENT_COLUMNS,
  sweptPaymentOf,
  type SweptPayment,
  type SweptPaymentRow,
} from '../payments/store/due.ts';

/** A stored callback that no query has covered yet. */
export interface WaitingCallback {
  readonly callbackId: bigint;
  readonly payment: SweptPayment;
  readonly attemptReference: string;
  readonly gateway: string;
  readonly storeId: string;
  readonly sealedSecret: string | null;
  readonly rawPayload: string;
  readonly signatureValid: boolean;
  /** The validation id that confirmed the attempt; null unless it is confirmed. */
  readonly finalizedBy: string | null;
}

interface WaitingCallbackRow extends SweptPaymentRow {
  callback_id: string;
  attempt_reference: string;
  attempt_gateway: string;
  store_id: string;
  store_secret: string | null;
  raw_payload: string;
  signature_valid: boolean;
  finalized_by: string | null;
}

/** Takes callbacks that are due for a check, and postpones their next one: 30 seconds, then twice as long each time, up to an hour. */
export async function takeDueCallbacks(statements: Statements, max: number): Promise<WaitingCallback[]> {
  const rows = await statements.execute<WaitingCallbackRow[]>(
    `with due as (
       select id from gateway_callbacks where consumed_at is null and payment_id is not null and next_sweep_at <= now()
       order by next_sweep_at limit ${max} for update skip locked),
     moved as (
       update gateway_callbacks c
       set sweeps = sweeps + 1, next_sweep_at = now() + least(interval '1 hour', interval '30 seconds' * power(2, least(sweeps, 10)))
       from due where c.id = due.id returning c.id, c.payment_id, c.attempt_id, c.raw_payload, c.signature_valid)
     select moved.id as callback_id, moved.raw_payload, moved.signature_valid, t.reference as attempt_reference, t.gateway as attempt_gateway, t.store_id,
       lenden_store_secret(t.application_id, t.mode, t.gateway, t.store_id) as store_secret,
       case when t.status = 'CONFIRMED' then t.validation_id end as finalized_by, ${SWEPT_PAYMENT_COLUMNS}
     from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id
     join payment_attempts t on t.id = moved.attempt_id`,
  );
  return rows.map((row) => ({
    callbackId: BigInt(row.callback_id),
    payment: sweptPaymentOf(row),
    attemptReference: row.attempt_reference,
    gateway: row.attempt_gateway,
    storeId: row.store_id,
    sealedSecret: row.store_secret,
    rawPayload: row.raw_payload,
    signatureValid: row.signature_valid,
    finalizedBy: row.finalized_by,
  }));
}
