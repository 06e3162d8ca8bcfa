import type { Judge } from './judge.ts';

/**
 * I22. What was made after the dump is lost, and the gateway is the only one who knows of its money: a person is told of each such charge.
 * And nobody gets the number of what was lost, by which somebody may still ask for it.
 */
export const whatIsLostIsTold: Judge = ({ restored }) =>
  restored === null
    ? { judged: 0, violations: [] }
    : {
        judged: restored.lostPayments + restored.lostCharges.length,
        violations: [
          ...restored.lostCharges
            .filter(({ listed }) => !listed)
            .map(({ order, payment }) => `the charge of ${order}, whose payment ${payment} is lost, is told to nobody`),
          ...restored.numbersGivenTwice.map((reference) => `${reference} has the number of a payment that was lost`),
        ],
      };
