import type { Posting } from '../evidence.ts';
import type { Judge } from './judge.ts';
import { coursesOf, PAID, type Course } from './payments.ts';

/**
 * I3. Compares postings with the gateway's charge log, which is the authority. While a charge is under review less may be posted, but never more than
 * was charged and never anything without a charge.
 */
export const nothingIsPostedThatWasNotTaken: Judge = (evidence) => {
  const courses = coursesOf(evidence).filter(({ last }) => last !== null);
  return {
    judged: courses.length,
    violations: courses.flatMap((course) => [
      ...falselyPaid(course),
      ...wronglyPosted(course, grossOf(evidence.postings, course.errand.mark)),
    ]),
  };
};

function falselyPaid({ errand, last, charges }: Course): string[] {
  if (last === null || !PAID.has(last.status)) {
    return [];
  }
  if (charges.length === 0) {
    return [`${last.reference} (${errand.mark}) is ${last.status}, the gateway took nothing`];
  }
  return charges.some(({ amountMinor }) => amountMinor === String(errand.amountMinor))
    ? []
    : [
        `${last.reference} (${errand.mark}) of ${errand.amountMinor} is ${last.status}, the gateway took ${amounts(charges)}`,
      ];
}

function wronglyPosted({ errand, last, charges }: Course, gross: bigint): string[] {
  const taken = charges.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
  const name = `${last?.reference ?? 'no payment'} (${errand.mark})`;
  if (gross > taken) {
    return [`${name}: the ledger holds ${gross}, the gateway took ${taken}`];
  }
  return gross < taken && last?.review === null
    ? [`${name}: the gateway took ${taken}, the ledger holds only ${gross}`]
    : [];
}

function grossOf(postings: readonly Posting[], mark: string): bigint {
  return postings
    .filter((posting) => posting.mark === mark && posting.causeType !== 'refund')
    .reduce((sum, { grossMinor }) => sum + BigInt(grossMinor), 0n);
}

/** I4. A second order makes a second charge possible, so it is a violation even before anyone pays it. */
export const chargedAtMostOnce: Judge = (evidence) => {
  const courses = coursesOf(evidence).filter(({ sessions }) => sessions.length > 0);
  return {
    judged: courses.length,
    violations: courses.flatMap(({ errand, sessions, charges }) => {
      const gateways = [...new Set(sessions.map(({ gateway }) => gateway))];
      // A payer who changes their mind may return to an earlier gateway.
      const isChoosing = (errand.gateways?.length ?? 1) > 1;
      return gateways.flatMap((gateway) => {
        const own = sessions.filter((session) => session.gateway === gateway);
        const orders = new Set(own.map(({ tranId }) => tranId));
        const taken = charges.filter((charge) => charge.gateway === gateway);
        return [
          ...(orders.size > 1 && !isChoosing
            ? [`${errand.mark} has ${orders.size} orders at ${gateway}: ${[...orders].join(', ')}`]
            : []),
          ...(taken.length > orders.size || (taken.length > 1 && !isChoosing)
            ? [`${errand.mark} was charged ${taken.length} times: ${amounts(taken)}`]
            : []),
        ];
      });
    }),
  };
};

function amounts(charges: readonly { amountMinor: string }[]): string {
  return charges.map(({ amountMinor }) => amountMinor).join(', ');
}
