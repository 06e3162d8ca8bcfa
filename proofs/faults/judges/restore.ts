import type { Judge } from './judge.ts';

/**
 * I22. What was created after the dump is lost, and only the gateway knows of its money, so every such charge is reported to a person. The number of
 * a lost payment is not used again, because someone may still ask for it. A new event has a larger sequence than any that a receiver has seen of its
 * subject.
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
          ...restored.staleEvents.map((event) => `receivers ignore ${event}, because they have seen a larger one`),
        ],
      };
