import { testFile, testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';

const WORDS = testFile('test/domain/payouts/file-word.test.ts');
const FILES = testFileWithServers('test/core/reconciliation/file-words.test.ts');
const BANK = testFileWithServers('test/core/reconciliation/bank-amounts.test.ts');
const STATING = testFileWithServers('test/api/admin/bank-amounts.test.ts');
const CASES = testFileWithServers('test/core/reconciliation/cases.test.ts');

/** Defects in how much one person's payout file, statement or word may explain. */
export const PAYOUT_WORDS: readonly Defect[] = [
  {
    name: 'any-rate-matches',
    breaks: 'One person’s file settles a payment at any exchange rate.',
    edits: [
      {
        in: 'domain/payouts/judge-amount.ts',
        find: '!isRateTrusted(movement, explanation, settings.rates)',
        replace: 'false',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names:
          'a rate in a file matches within the band that was agreed, whatever the amount, and is flagged outside of it',
      },
    ],
  },
  {
    name: 'band-open-above',
    breaks: 'A rate above what was agreed matches, so a file can say that too much came.',
    edits: [{ in: 'domain/payouts/agreed-rates.ts', find: 'settledMinor <= mostMinor', replace: 'true' }],
    caughtBy: [
      {
        check: WORDS,
        names:
          'a rate in a file matches within the band that was agreed, whatever the amount, and is flagged outside of it',
      },
    ],
  },
  {
    name: 'costs-not-added-up',
    breaks: 'Many small fees in one person’s files explain any sum.',
    edits: [{ in: 'domain/payouts/judge.ts', find: '(costSums.get(group) ?? ownMinor)', replace: 'ownMinor' }],
    caughtBy: [
      {
        check: WORDS,
        names:
          'costs of no charge in a file explain themselves up to what one person may explain, and are flagged all together beyond it',
      },
    ],
  },
  {
    name: 'costs-cancel-out',
    breaks: 'A reserve that is taken and one that is given back hide each other from the threshold.',
    edits: [
      {
        in: 'domain/payouts/file-word.ts',
        find: 'magnitude(grossMinor) + magnitude(feeMinor) + magnitude(taxMinor)',
        replace: 'grossMinor - feeMinor - taxMinor',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names: 'costs of no charge in a file do not cancel each other out, and hide behind no column of the other sign',
      },
    ],
  },
  {
    name: 'cost-of-unknown-charge',
    breaks: 'A fee that names a charge which nobody knows explains itself.',
    edits: [
      {
        in: 'domain/payouts/judge-alone.ts',
        find: 'keys.length > 0 && !(isReserve && keys.some((key) => movementKeys.has(key)))',
        replace: 'false',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names:
          'costs of no charge in a file that name a charge which we do not know are flagged at any amount, but a reserve may name one that we know',
      },
    ],
  },
  {
    name: 'passed-costs-stay',
    breaks: 'Costs that an earlier run has let pass stay explained, whatever else the same person uploads.',
    edits: [
      { in: 'core/reconciliation/words-of-lines.ts', find: 'if (sumMinor > limitMinor) { $$$BODY }', replace: '' },
    ],
    caughtBy: [
      {
        check: FILES,
        names:
          'costs in several files of one person are flagged together once they are more than the threshold, also those that a run has let pass',
      },
    ],
  },
  {
    name: 'nameless-correction-lost',
    breaks: 'What people say of a line that names nothing has no effect.',
    edits: [
      {
        in: 'core/reconciliation/judge-batch.ts',
        find: 'round === 0 || (next.size > 0 && round < ROUNDS_MAX)',
        replace: 'next.size > 0 && round < ROUNDS_MAX',
      },
    ],
    caughtBy: [{ check: FILES, names: 'people say to which account a cost belongs that names nothing' }],
  },
  {
    name: 'api-is-a-word',
    breaks: 'What the gateway itself says needs two people.',
    edits: [
      { in: 'core/reconciliation/words-of-lines.ts', find: "if (source === 'api') { return null; }", replace: '' },
    ],
    caughtBy: [{ check: FILES, names: 'what the own API of the gateway says explains itself at any amount' }],
  },
  {
    name: 'any-fee-agreed',
    breaks: 'A file’s fee takes a whole payment, where no fee was agreed.',
    edits: [
      {
        in: 'domain/payouts/judge-fee.ts',
        find: 'isBeyondWord([...explained.lines, ...costs], fee)',
        replace: 'false',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names:
          'a fee in a file that only lines state is flagged beyond what one person may explain, unless a fee was agreed',
      },
    ],
  },
  {
    name: 'fee-beside-net-passes',
    breaks: 'Where files state the net only, a fee in a column of its own shortens the payout unseen.',
    edits: [
      {
        in: 'domain/payouts/judge-fee.ts',
        find: 'return findingBesideNet(movement, { explained, costs }, settings);',
        replace: 'return explained.finding;',
      },
    ],
    caughtBy: [{ check: WORDS, names: 'a fee in a file beside a net that says all is compared with nothing' }],
  },
  {
    name: 'cost-without-charge',
    breaks: 'A cost of a charge matches though no line explains the charge.',
    edits: [
      {
        in: 'domain/payouts/judge-fee.ts',
        find: "charge === 'explained' || !isGuarded(line)",
        replace: 'true',
      },
    ],
    caughtBy: [
      { check: WORDS, names: 'a cost of a charge in a file waits for the line of the charge, and is flagged with it' },
    ],
  },
  {
    name: 'dispute-by-file',
    breaks: 'A dispute line takes a charge away though the gateway told of no dispute.',
    edits: [
      {
        in: 'domain/payouts/judge-disputes.ts',
        find: 'movement.disputedMinor ?? movement.amountMinor',
        replace: 'movement.amountMinor',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names: 'a dispute in a file has to be one of which the gateway tells, where it tells of disputes',
      },
    ],
  },
  {
    name: 'disputes-one-by-one',
    breaks: 'A charge is disputed away in small lines, where the gateway tells of no disputes.',
    edits: [
      {
        in: 'domain/payouts/file-word.ts',
        find: 'group.reduce((sum, line) => sum + movedBy(line), 0n)',
        replace: 'movedBy(group[0] ?? lines[0])',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names:
          'a dispute in a file counts up to what one person may explain, where the gateway tells of none, in one line or in several',
      },
    ],
  },
  {
    name: 'second-statement-closes',
    breaks: 'One person’s second statement closes the case that the first one opened.',
    edits: [
      {
        in: 'core/reconciliation/store/cases.ts',
        find: "$Q.whereRef('o.bankMinor', '=', 'o.linesMinor').where('o.bankInDoubt', '=', false)",
        replace: "$Q.whereRef('o.bankMinor', '=', 'o.linesMinor')",
      },
    ],
    caughtBy: [
      {
        check: BANK,
        names:
          'entries of a bank statement that move what had arrived by more than the threshold leave the case for two people, though they make it add up',
      },
    ],
  },
  {
    name: 'each-entry-by-itself',
    breaks: 'Entries that come one by one move what arrived by any sum.',
    edits: [
      {
        in: 'core/payouts/store/matched-entries.ts',
        find: 'bankBaseMinor ?? bankMinor ?? nowMinor',
        replace: 'bankMinor ?? nowMinor',
      },
    ],
    caughtBy: [{ check: BANK, names: 'entries of a bank statement that come one after the other are added up' }],
  },
  {
    name: 'bank-amount-by-one',
    breaks: 'One person states that everything arrived, and the case closes.',
    edits: [
      {
        in: 'core/payouts/state-bank-amount.ts',
        find: 'await needsSecond(em, caller, { payout, movedMinor })',
        replace: 'movedMinor < 0n',
      },
    ],
    caughtBy: [
      {
        check: STATING,
        names:
          'an amount that moves what has arrived by more than the threshold waits for a second person, who sees it',
      },
    ],
  },
  {
    name: 'bank-amounts-not-added-up',
    breaks: 'One person states many small amounts and moves any sum.',
    edits: [
      {
        in: 'core/reconciliation/store/case-approval.ts',
        find: 'await STATED.all(statements, whose)',
        replace: '[]',
      },
    ],
    caughtBy: [
      {
        check: STATING,
        names: 'up to the threshold one person states it, and what they state within a day is added up',
      },
    ],
  },
  {
    name: 'shared-store-own-threshold',
    breaks: 'A line of a shared store is booked away by one person through an application without a threshold.',
    edits: [
      {
        in: 'core/reconciliation/store/case-approval.ts',
        find: 'store === null ? own : [...own, ...(await thresholdsOfStore(statements, store))]',
        replace: 'store === null ? own : own',
      },
    ],
    caughtBy: [
      {
        check: CASES,
        names:
          'accepting a difference uses the strictest threshold of the applications that share a store, whichever of them the line is of',
      },
    ],
  },
  {
    name: 'offsets-not-seen',
    breaks: 'Two lines of one charge that cancel each other explain what is missing in a payout.',
    edits: [
      {
        in: 'domain/payouts/judge-fee.ts',
        find: '(ofAmount > 0n ? ofAmount : 0n) + ofCosts',
        replace: '0n',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names: 'amounts of opposite signs in a file are flagged beyond what one person may explain: parts of a charge',
      },
    ],
  },
  {
    name: 'costs-wait-at-any-amount',
    breaks: 'A cost whose charge has no line yet explains a payout of any size while it waits.',
    edits: [
      {
        in: 'domain/payouts/judge-fee.ts',
        find: 'waits && !isBeyondWordTogether(costs)',
        replace: 'waits',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names: 'a cost that waits for its charge is flagged at once beyond what one person may explain',
      },
    ],
  },
  {
    name: 'unconfirmed-taking-waits',
    breaks: 'A line that takes money for an open attempt explains a payout of any size while it waits.',
    edits: [
      {
        in: 'domain/payouts/judge-alone.ts',
        find: 'takesBeyondWord(line)',
        replace: 'false',
      },
    ],
    caughtBy: [
      {
        check: WORDS,
        names: 'what is said to be taken for something unconfirmed waits up to what one person may explain',
      },
    ],
  },
];
