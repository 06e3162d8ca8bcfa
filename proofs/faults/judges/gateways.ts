import type { Evidence } from '../evidence.ts';
import { together, type Judge } from './judge.ts';
import { coursesOf, PAID, type Course } from './payments.ts';

/** I19. */
export const everyChargeIsOnePosting: Judge = (evidence) =>
  together(chargesBelongToAttempts(evidence), chargesArePostedOnce(evidence));

/** Every charge at any gateway belongs to an attempt at that gateway, and no attempt has two charges. */
const chargesBelongToAttempts: Judge = ({ attempts, charges, strays, sessions }) => {
  const known = new Map(attempts.map(({ reference, gateway }) => [reference, gateway]));
  const orders = charges.map(({ gateway, tranId }) => `${gateway} ${tranId}`);
  return {
    judged: charges.length,
    violations: [
      ...strays.map(
        ({ gateway, tranId, amountMinor }) => `${gateway} took ${amountMinor} for ${tranId}, which no row knows`,
      ),
      ...orders
        .filter((order, index) => orders.indexOf(order) !== index)
        .map((order) => `the attempt ${order} was charged more than once`),
      ...sessions
        .filter(({ gateway, tranId }) => known.has(tranId) && known.get(tranId) !== gateway)
        .map(({ gateway, tranId }) => `${tranId} is an order at ${gateway}, and an attempt at ${known.get(tranId)}`),
    ],
  };
};

/**
 * If a payment succeeded, one of its charges is posted to it. Each other charge is held once as an unapplied payment. All are posted for the gateways
 * that took them.
 */
const chargesArePostedOnce: Judge = (evidence) => {
  const courses = coursesOf(evidence).filter(({ last, charges }) => last !== null && charges.length > 0);
  return { judged: courses.length, violations: courses.flatMap((course) => wronglyHeld(evidence, course)) };
};

function wronglyHeld({ postings }: Evidence, { errand, last, charges }: Course): string[] {
  const own = postings.filter(({ mark }) => mark === errand.mark);
  const charged = own.filter(({ kind }) => kind === 'charge');
  const held = own.filter(({ kind }) => kind === 'unapplied').map(({ causeId }) => causeId);
  const wanted = last !== null && PAID.has(last.status) ? 1 : 0;
  const name = `${last?.reference} (${errand.mark})`;
  const claimable = charges.map(({ tranId, valId }) => `${tranId}:${valId}`);
  return [
    ...(charged.length === wanted ? [] : [`${name} is ${last?.status}, with ${charged.length} posted charges`]),
    ...held
      .filter((cause, index) => held.indexOf(cause) !== index || !claimable.includes(cause))
      .map((cause) => `${name}: ${cause} is held as unapplied money without a charge of its own`),
    ...(charged.length + held.length === charges.length || last?.review !== null
      ? []
      : [
          `${name}: ${charges.length} charges, ${charged.length} posted to the payment and ${held.length} held as unapplied money`,
        ]),
    ...[...new Set([...charges, ...charged].map(({ gateway }) => gateway))].flatMap((gateway) => {
      const taken = sum(charges.filter((one) => one.gateway === gateway).map(({ amountMinor }) => amountMinor));
      const posted = sum(
        own.filter((one) => one.gateway === gateway && one.causeType !== 'refund').map(({ grossMinor }) => grossMinor),
      );
      return posted === taken || (posted < taken && last?.review !== null)
        ? []
        : [`${name}: ${gateway} took ${taken}, its clearing account was given ${posted}`];
    }),
  ];
}

function sum(amounts: readonly string[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n);
}
