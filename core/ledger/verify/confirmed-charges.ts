import type { Mode } from '../../../domain/mode.ts';
import type { Database } from '../../../database/connection.ts';

/** A charge recorded as confirmed by a gateway, with what is needed to query that gateway again. */
export interface StoredCharge {
  readonly table: 'payment_attempts' | 'unapplied_payments';
  readonly id: string;
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
  /** The store's credentials, sealed; null for the store from the environment. */
  readonly sealedSecret: string | null;
  readonly attemptReference: string;
  readonly sessionKey: string | null;
  readonly validationId: string;
  readonly gatewayTxnId: string;
  readonly gross: string;
  readonly fee: string;
  readonly currency: string;
}

const CHARGES_PER_PAGE = 200;

const STORE = `a.store_id as "storeId", lenden_store_secret(a.application_id, a.mode, a.gateway, a.store_id) as "sealedSecret"`;

const SOURCES: Readonly<Record<StoredCharge['table'], string>> = {
  payment_attempts: `
    select 'payment_attempts' as "table", a.id::text, a.mode, a.gateway, a.reference as "attemptReference", a.session_key as "sessionKey",
      ${STORE}, coalesce(a.validation_id, '') as "validationId", coalesce(a.gateway_txn_id, '') as "gatewayTxnId", a.gross_minor::text as gross,
      a.fee_minor::text as fee, p.currency
    from payment_attempts a join payments p on p.id = a.payment_id
    where a.status = 'CONFIRMED' and a.id > ?::bigint order by a.id limit ${CHARGES_PER_PAGE}`,
  unapplied_payments: `
    select 'unapplied_payments' as "table", l.id::text, l.mode, l.gateway, a.reference as "attemptReference", a.session_key as "sessionKey",
      ${STORE}, l.validation_id as "validationId", l.gateway_txn_id as "gatewayTxnId", l.gross_minor::text as gross, l.fee_minor::text as fee, l.currency
    from unapplied_payments l join payment_attempts a on a.id = l.attempt_id
    where l.id > ?::bigint and l.kind = 'late' order by l.id limit ${CHARGES_PER_PAGE}`,
};

/**
 * Yields the charges page by page, each read in its own transaction: the consumer queries gateways in between, and no transaction may wait for that.
 */
export async function* confirmedCharges(database: Database): AsyncGenerator<StoredCharge[]> {
  for (const sql of Object.values(SOURCES)) {
    let after = '0';
    while (true) {
      const charges = await database.withSystem((em) => em.execute<StoredCharge[]>(sql, [after]));
      yield charges;
      const end = charges.at(-1);
      if (end === undefined || charges.length < CHARGES_PER_PAGE) {
        break;
      }
      after = end.id;
    }
  }
}
