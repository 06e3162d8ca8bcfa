import { expressionBuilder, sql, type QueryCreator } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import { constraintOf, type Scope } from '../../../database/connection.ts';
import { later, now, plus, rowOf, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { claimed, claimValues, type ClaimValues, type KeyClaim } from '../../idempotency/store.ts';

export interface NewPayment {
  readonly scope: Scope;
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly customerReference: string;
  readonly customerEmail: string | null;
  readonly customerPhone: string | null;
  readonly customerName: string | null;
  readonly productName: string | null;
  readonly returnUrl: string | null;
  /** Native by default. */
  readonly contract?: Contract;
  readonly merchantReference?: string;
  readonly cancelUrl?: string | null;
  /** JSON text of an object. */
  readonly metadata?: string | null;
  /** Locked by the caller's transaction, if set. */
  readonly invoiceId?: bigint | null;
  /** Null if the payer chooses one of `gatewayChoices`; then no attempt is written. */
  readonly gateway: string | null;
  readonly gatewayChoices?: readonly string[] | null;
  /** Counted from the database's time of the insert, so that no process's clock affects when a payment expires. */
  readonly expiresInSeconds: number;
  /**
   * The gateway's order id, and the environment's store for an application without a store chosen by operators. Without any store no attempt is
   * written.
   */
  readonly attempt: { readonly reference: string; readonly storeId: string | null };
}

/** The sweeper starts the payment's workflow after this time if its creator has not. Longer than a creator waits for the gateway's session. */
const FIRST_SWEEP_SECONDS = 30;

interface Creation extends Scope {
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly customerReference: string;
  readonly customerEmail: string | null;
  readonly customerPhone: string | null;
  readonly customerName: string | null;
  readonly productName: string | null;
  readonly returnUrl: string | null;
  readonly contract: Contract;
  readonly merchantReference: string | null;
  readonly cancelUrl: string | null;
  readonly metadata: string | null;
  readonly invoiceId: bigint | null;
  readonly gateway: string | null;
  readonly gatewayChoices: string[] | null;
  readonly expiresInSeconds: number;
  readonly attemptReference: string;
  readonly storeId: string | null;
}

/** The id is drawn first, so that the key and the payment are written in one statement. */
const NEXT_ID = sql<bigint>`nextval('payments_id_seq')`;

/** Writes the payment whose id is in `claimed`. There is none if the key is taken. */
function created(db: QueryCreator<Tables & { claimed: { id: bigint } }>, $: Given<Creation>) {
  return db
    .with('created', (q) => {
      const source = q.selectFrom('claimed');
      const eb = expressionBuilder(source);
      const row = rowOf('payments', {
        id: eb.ref('claimed.id'),
        applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
        mode: $('mode'),
        reference: $('reference'),
        amountMinor: eb.cast<bigint>($('amountMinor'), 'bigint'),
        currency: $('currency'),
        customerReference: $('customerReference'),
        customerEmail: $('customerEmail'),
        customerPhone: $('customerPhone'),
        customerName: $('customerName'),
        productName: $('productName'),
        returnUrl: $('returnUrl'),
        contract: $('contract'),
        merchantReference: $('merchantReference'),
        cancelUrl: $('cancelUrl'),
        metadata: $('metadata'),
        invoiceId: eb.cast<bigint | null>($('invoiceId'), 'bigint'),
        gateway: $('gateway'),
        gatewayChoices: eb.cast<string[] | null>($('gatewayChoices'), sql`text[]`),
        expiresAt: plus(now, span($('expiresInSeconds'), 'second')),
        nextSweepAt: later(`${FIRST_SWEEP_SECONDS} seconds`),
      });
      return (
        q
          .insertInto('payments')
          .columns(row.columns)
          // Kysely has no `overriding system value`.
          .expression(sql`overriding system value ${source.select(row.values)}`)
          .returning(['id', 'applicationId', 'mode', 'reference', 'gateway'])
      );
    })
    .with('attempted', (q) => {
      const source = q
        .selectFrom((eb) =>
          eb
            .selectFrom('created')
            .selectAll('created')
            .select((c) => [
              c.cast<string>($('attemptReference'), 'text').as('attemptReference'),
              c.fn
                .coalesce(
                  c.fn<string | null>('lenden_store_for', ['created.applicationId', 'created.mode', 'created.gateway']),
                  c.cast<string | null>($('storeId'), 'text'),
                )
                .as('storeId'),
            ])
            .as('tried'),
        )
        .where('tried.storeId', 'is not', null);
      const eb = expressionBuilder(source);
      const row = rowOf('payment_attempts', {
        applicationId: eb.ref('tried.applicationId'),
        mode: eb.ref('tried.mode'),
        paymentId: eb.ref('tried.id'),
        number: sql.lit(1),
        reference: eb.ref('tried.attemptReference'),
        gateway: eb.ref('tried.gateway').$notNull(),
        storeId: eb.ref('tried.storeId').$notNull(),
      });
      return q.insertInto('payment_attempts').columns(row.columns).expression(source.select(row.values));
    })
    .selectFrom('created')
    .select('created.id');
}

const CREATE = statement((db, $: Given<Creation>) =>
  created(
    db.with('claimed', (q) => q.selectNoFrom(NEXT_ID.as('id'))),
    $,
  ),
);

const CLAIM_AND_CREATE = statement((db, $: Given<Creation & ClaimValues>) =>
  created(
    db.with('claimed', (q) => claimed(q, $, NEXT_ID).returning((eb) => eb.ref('paymentId').$notNull().as('id'))),
    $,
  ),
);

/**
 * Writes a payment and its first attempt in one statement, together with a claim of the idempotency key if there is one, so that neither exists
 * without the other. A concurrent duplicate waits here for the commit. Returns null if the key is taken.
 */
export async function insertPayment(
  statements: Statements,
  { scope, attempt, gatewayChoices = null, ...payment }: NewPayment,
  claim: KeyClaim | null,
): Promise<bigint | null> {
  const creation: Creation = {
    ...payment,
    ...scope,
    contract: payment.contract ?? 'native',
    merchantReference: payment.merchantReference ?? null,
    cancelUrl: payment.cancelUrl ?? null,
    metadata: payment.metadata ?? null,
    invoiceId: payment.invoiceId ?? null,
    gatewayChoices: gatewayChoices && [...gatewayChoices],
    attemptReference: attempt.reference,
    storeId: attempt.storeId,
  };
  const row =
    claim === null
      ? await CREATE.first(statements, creation)
      : await CLAIM_AND_CREATE.first(statements, { ...claimValues(claim), ...creation });
  return row?.id ?? null;
}

const FOLLOW_CLOCK = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .updateTable('payments as p')
    .from('invoices as i')
    .set((eb) => ({
      clockOffset: eb.ref('i.clockOffset'),
      expiresAt: plus(eb.ref('p.expiresAt'), eb.ref('i.clockOffset')),
    }))
    .where('p.id', '=', $('paymentId'))
    .whereRef('i.id', '=', 'p.invoiceId'),
);

/** Gives a payment that was just inserted the test clock of its invoice. */
export async function followClockOfInvoice(statements: Statements, paymentId: bigint): Promise<void> {
  await FOLLOW_CLOCK.all(statements, { paymentId });
}

/** Reports whether the merchant's reference belongs to another payment of the scope, in a contract where it is unique. */
export function isMerchantReferenceTaken(error: unknown): boolean {
  return constraintOf(error) === 'payments_merchant_reference_key';
}

/** Reports whether the public reference of the new payment is already taken, in any application. */
export function isReferenceTaken(error: unknown): boolean {
  return constraintOf(error) === 'payments_reference_key';
}
