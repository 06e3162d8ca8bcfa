import type { AttemptAnswer, Charge } from '../../../gateways/port.ts';
import type { StoredPayment } from '../../support/stored.ts';
import type { ScriptedWorld } from './scripted-payments.ts';

/** Forgets what was recorded. The gateway then opens every session and knows of no transaction. */
export function reset(world: ScriptedWorld): void {
  world.gateway.configured = true;
  world.gateway.orders.length = 0;
  world.gateway.asked.length = 0;
  world.deliveries.length = 0;
  world.log.length = 0;
  world.startDelivery = null;
  world.gateway.openSession = ({ attemptReference }) =>
    Promise.resolve({
      kind: 'opened',
      sessionKey: `K-${attemptReference}`,
      gatewayUrl: `https://gateway.example/${attemptReference}`,
    });
  answer(world, { kind: 'not-started' });
}

/** Makes the gateway answer queries with these answers, one after the other. The last one is repeated. */
export function answer(world: ScriptedWorld, ...answers: readonly AttemptAnswer[]): void {
  let next = 0;
  world.gateway.queryAttempt = () => {
    const given = answers[Math.min(next, answers.length - 1)];
    next += 1;
    return given === undefined ? Promise.reject(new Error('the test gave no answer')) : Promise.resolve(given);
  };
}

export const charged = (charge: Charge): AttemptAnswer => ({ kind: 'charged', charge });

/** Creates a payment whose attempt the gateway has confirmed. */
export async function confirmed(
  world: ScriptedWorld,
  { status = 'PENDING' }: { readonly status?: string } = {},
): Promise<{ input: StoredPayment; attempt: { id: string; reference: string } }> {
  const input = await world.payment({ status });
  const attempt = await world.attempt(input);
  answer(world, charged(world.charge(attempt)));
  await world.activities.verifyPayment({ ...input, final: false });
  return { input, attempt };
}

export const eventsOf = (world: ScriptedWorld, { paymentId }: StoredPayment) =>
  world.rows('select * from webhook_events where payment_id = ?::bigint order by sequence', [paymentId]);
