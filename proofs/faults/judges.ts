import type { Evidence } from './evidence.ts';
import { oneKeyOneEffect, everyAnswerIsKept, noWayBack } from './judges/client.ts';
import { chargedAtMostOnce, nothingIsPostedThatWasNotTaken } from './judges/charges.ts';
import { oneEventForEachEnd } from './judges/events.ts';
import { balancesAreSums, chainVerifies, ledgerBalances } from './judges/ledger.ts';
import { invoicesAreToldOf, invoicesCountTheirMoney, oneNumberForEachInvoice } from './judges/invoices.ts';
import { everyChargeIsOnePosting } from './judges/gateways.ts';
import type { Judge, Verdict } from './judges/judge.ts';
import { everythingComesToItsEnd } from './judges/liveness.ts';
import { paidByTheWordOfPeople } from './judges/manual.ts';
import { noSecretIsTold, nothingForeignIsSeen } from './judges/isolation.ts';
import { everyLineIsJudgedOnce, payoutsAreBookedOnce } from './judges/payouts.ts';
import { ownpayIsKept } from './judges/ownpay.ts';
import { whatIsLostIsTold } from './judges/restore.ts';
import { refundedAtMostOnce, refundsSayWhatMoved, twoPeopleDecide } from './judges/refunds.ts';

/** The invariants of a round. */
export const JUDGES = {
  I1: { words: 'debits and credits add up, for each currency', judge: ledgerBalances },
  I2: { words: 'balances are the sums of their postings', judge: balancesAreSums },
  I3: {
    words: 'what is posted and called paid was taken by the gateway, to the minor unit',
    judge: nothingIsPostedThatWasNotTaken,
  },
  I4: {
    words: 'a payment has one order at each gateway that it went to, and at most one charge for each order',
    judge: chargedAtMostOnce,
  },
  I5: { words: 'every 2xx that a client, an operator or the gateway saw is still true', judge: everyAnswerIsKept },
  I6: { words: 'one key has one reply and one effect', judge: oneKeyOneEffect },
  I7: { words: 'nothing leaves a final state', judge: noWayBack },
  I8: { words: 'each end has one event, and each receiver saw it', judge: oneEventForEachEnd },
  I9: { words: 'after the faults everything comes to the end that the gateway knows', judge: everythingComesToItsEnd },
  I10: { words: 'no application saw a foreign byte', judge: nothingForeignIsSeen },
  I11: { words: 'no secret and nothing of a payer is in logs and histories', judge: noSecretIsTold },
  I12: { words: 'the ledger verifies: chain, structure, payments, refunds, evidence', judge: chainVerifies },
  I13: {
    words: 'the gateway gives back at most what it took, and each refund once',
    judge: refundedAtMostOnce,
  },
  I14: {
    words: 'refunds, payment, ledger and gateway say the same sum; what came to nothing moved nothing',
    judge: refundsSayWhatMoved,
  },
  I15: {
    words: 'above the threshold nothing moves without the word of a second person',
    judge: twoPeopleDecide,
  },
  I16: {
    words: 'invoices count what the gateway took of their payments, and nothing beyond their total',
    judge: invoicesCountTheirMoney,
  },
  I17: {
    words: 'one key makes one invoice, whose number no other has and none is missing',
    judge: oneNumberForEachInvoice,
  },
  I18: { words: 'each change of an invoice, and each day past due, is told once', judge: invoicesAreToldOf },
  I19: {
    words: "each charge at any gateway is one attempt's, and settled or held as unapplied money once, at that gateway",
    judge: everyChargeIsOnePosting,
  },
  I20: {
    words: "what was made over OwnPay's API is one payment for each key, and its end is told once in OwnPay's words",
    judge: ownpayIsKept,
  },
  I21: {
    words: 'what is paid by hand succeeds if and only if as many operators as it needs confirmed it, once',
    judge: paidByTheWordOfPeople,
  },
  I22: {
    words: 'of what an older database has lost every charge is told to a person, and no number is given out again',
    judge: whatIsLostIsTold,
  },
  I23: {
    words: 'each line of a payout has one result, and each charge and refund one state',
    judge: everyLineIsJudgedOnce,
  },
  I24: {
    words: "each row of a gateway's file is one line, each booking one ledger transaction, and each residual a case",
    judge: payoutsAreBookedOnce,
  },
} as const satisfies Record<string, { words: string; judge: Judge }>;
export type InvariantName = keyof typeof JUDGES;
export const INVARIANTS = Object.keys(JUDGES) as readonly InvariantName[];

export function judge(evidence: Evidence): ReadonlyMap<InvariantName, Verdict> {
  return new Map(INVARIANTS.map((name) => [name, JUDGES[name].judge(evidence)]));
}
