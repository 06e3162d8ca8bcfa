import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { AttemptStatus } from '../../../domain/payment.ts';

/** Statuses in which the gateway has decided on the attempt. */
const DECIDED: readonly AttemptStatus[] = ['CONFIRMED', 'REFUSED', 'FAILED', 'CANCELLED', 'CLOSED'];

interface OfPayment {
  readonly paymentId: bigint;
}

const NEWEST_CALLBACK = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('gateway_callbacks')
    .select(['createdAt', 'consumedAt', 'gateway', 'claimsNoMoney'])
    .where('paymentId', '=', $('paymentId'))
    .orderBy('id', 'desc')
    .limit(1),
);

const NEWEST_MONEY_CALLBACK = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('gateway_callbacks')
    .select(['createdAt', 'gateway'])
    .where('paymentId', '=', $('paymentId'))
    .where('consumedAt', 'is', null)
    .where((eb) => eb.not('claimsNoMoney'))
    .orderBy('id', 'desc')
    .limit(1),
);

const DECIDED_ATTEMPT = statement((db, $: Given<OfPayment>) =>
  db
    .selectFrom('payment_attempts')
    .select((eb) => eb('status', '=', 'CONFIRMED').as('isPaid'))
    .where('paymentId', '=', $('paymentId'))
    .where((eb) =>
      eb.or([eb('status', '=', 'CONFIRMED'), eb.and([eb('status', 'in', DECIDED), eb('supersededAt', 'is', null)])]),
    )
    .orderBy('isPaid', 'desc')
    .limit(1),
);

/** A callback of a payment's gateway. */
export interface SeenCallback {
  readonly createdAt: Date;
  /** Null while the gateway is still to be queried because of it. */
  readonly consumedAt: Date | null;
  /** The gateway that sent it. The payer may have chosen another one since. */
  readonly gateway: string;
  /** Whether it says itself that nothing was paid. */
  readonly claimsNoMoney: boolean;
}

export async function newestCallback(statements: Statements, paymentId: bigint): Promise<SeenCallback | null> {
  return (await NEWEST_CALLBACK.first(statements, { paymentId })) ?? null;
}

/** Returns the newest unconsumed callback that may be about money. */
export async function newestMoneyCallback(
  statements: Statements,
  paymentId: bigint,
): Promise<Pick<SeenCallback, 'createdAt' | 'gateway'> | null> {
  return (await NEWEST_MONEY_CALLBACK.first(statements, { paymentId })) ?? null;
}

/** Returns how the gateway has decided on an attempt of the payment that the payer has not replaced; null if it has decided on none. */
export async function decidedAs(statements: Statements, paymentId: bigint): Promise<'paid' | 'unpaid' | null> {
  const decided = await DECIDED_ATTEMPT.first(statements, { paymentId });
  if (decided === undefined) {
    return null;
  }
  return decided.isPaid === true ? 'paid' : 'unpaid';
}
