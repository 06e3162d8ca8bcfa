import { describe, expect, test } from '@jest/globals';
import type { GatewayName } from '../../proofs/faults/booked.ts';
import type { Evidence } from '../../proofs/faults/evidence.ts';
import { INVARIANTS, judge, type InvariantName } from '../../proofs/faults/judges.ts';
import type { Answer } from '../../proofs/faults/journal.ts';
import type { Errand } from '../../proofs/faults/plan.ts';
import {
  answered,
  BILLED,
  billAnswered,
  billEvent,
  BY_APP,
  BY_HAND,
  BY_OPERATORS,
  handEnd,
  handWord,
  INTENDED,
  intended,
  lateWord,
  LEFT,
  PAID,
  refundAnswered,
  refundList,
  RETURNED,
  soundRound,
} from './round-evidence.ts';

function broken(evidence: Evidence): Partial<Record<InvariantName, readonly string[]>> {
  return Object.fromEntries(
    [...judge(evidence)].flatMap(([name, { violations }]) => (violations.length > 0 ? [[name, violations]] : [])),
  );
}

const sound = soundRound();
const otherPayment = (text: string): string => text.replaceAll('pay_100', 'pay_999').replaceAll('"id":1', '"id":9');

const AT_THE_END = 30;
const listed = (...refunds: Parameters<typeof refundList>[0]): Partial<Evidence> => ({
  answers: [...sound.answers, refundList(refunds, AT_THE_END)],
});
const without = (kind: Answer['kind']): Partial<Evidence> => ({
  answers: sound.answers.filter((answer) => answer.kind !== kind),
});
const failed = { ...BY_APP, status: 'FAILED', failureCode: 'GATEWAY_REFUSED_REFUND' };
const parked = { ...BY_APP, status: 'PENDING', review: { reason: 'GATEWAY_CANCELLED' } };
const deliveriesBut = (isGone: (type: string, refundId: number | null) => boolean): Partial<Evidence> => ({
  deliveries: sound.deliveries.filter(({ type, refundId }) => !isGone(type, refundId)),
});

/** Returns the evidence of two payers who each paid the whole invoice, with `overpaymentMinor` in suspense. */
function twicePaid(overpaymentMinor: number): Partial<Evidence> {
  const payers = [PAID, RETURNED].map((errand) => ({
    ...errand,
    bill: BILLED.mark,
    amountMinor: BILLED.totalMinor,
    refund: null,
  }));
  return {
    errands: payers,
    answers: [
      ...sound.answers.filter(({ kind }) => kind !== 'refund-list'),
      ...payers.map((errand) => answered(errand, 'list', { status: 'SUCCEEDED', at: AT_THE_END })),
      billAnswered('bill-look', 27, { status: 'PAID', amountPaidMinor: BILLED.totalMinor, amountDueMinor: 0 }),
    ],
    charges: payers.map(({ mark, amountMinor }) => ({
      gateway: 'sslcommerz',
      tranId: `tran${mark}`,
      valId: `v${mark}`,
      atMs: 5,
      amountMinor: String(amountMinor),
    })),
    overpayments: overpaymentMinor === 0 ? [] : [{ mark: RETURNED.mark, minor: String(overpaymentMinor) }],
  };
}

function underReview(errand: Errand, reason: string): Answer {
  const answer = answered(errand, 'list', { status: 'PENDING', at: AT_THE_END });
  return { ...answer, text: answer.text.replace('"review":null', `"review":{"reason":"${reason}"}`) };
}

/** Returns a payment as it is listed after the gateway refused its order, with the page that it had. */
function failedAt(page: string | null): Answer {
  const answer = answered(LEFT, 'list', { status: 'FAILED', at: AT_THE_END });
  return page === null
    ? answer
    : { ...answer, text: answer.text.replace('"redirectUrl":null', `"redirectUrl":"${page}"`) };
}

/** Returns the evidence of a payment that was paid at Nagad after it had expired. */
function paidUnseen(errand: Errand): Evidence {
  return {
    ...sound,
    errands: sound.errands.map((one) => (one.mark === PAID.mark ? errand : one)),
    sessions: sound.sessions.map((one) => (one.mark === PAID.mark ? { ...one, gateway: 'nagad', notified: [] } : one)),
    charges: sound.charges.map((one) => (one.tranId === `tran${PAID.mark}` ? { ...one, gateway: 'nagad' } : one)),
    attempts: sound.attempts.map((one) => (one.mark === PAID.mark ? { ...one, gateway: 'nagad' } : one)),
    answers: sound.answers.flatMap((answer) => {
      const isOwn = answer.mark === PAID.mark && answer.kind !== 'create';
      return isOwn ? [answered(PAID, answer.kind, { status: 'EXPIRED', at: 20 })] : [answer];
    }),
    deliveries: sound.deliveries.map((event) =>
      event.reference === 'pay_100' ? { ...event, type: 'payment.expired', status: 'EXPIRED' } : event,
    ),
    postings: sound.postings.map((one) => (one.mark === PAID.mark ? { ...heldLate(PAID), gateway: 'nagad' } : one)),
  };
}

/** Returns the posting of a charge that came too late for its payment. */
function heldLate({ mark, amountMinor }: Errand): Evidence['postings'][number] {
  const causeId = `tran${mark}:v${mark}`;
  return {
    causeType: 'unapplied-payment',
    causeId,
    kind: 'unapplied',
    mark,
    grossMinor: String(amountMinor),
    gateway: 'sslcommerz',
  };
}

/** Each row: the judge that must report, what is planted, the expected text, and the changed evidence. */
const PLANTED: readonly (readonly [InvariantName, string, RegExp, Partial<Evidence>])[] = [
  [
    'I23',
    'a line of which nothing is said',
    /2 have 0 results, such as bkash line 9/,
    { payouts: { ...sound.payouts, lines: [{ times: 0, count: 2, example: 'bkash line 9' }] } },
  ],
  [
    'I23',
    'a charge that is both missing and explained',
    /1 have 2 states/,
    { payouts: { ...sound.payouts, movements: [{ times: 2, count: 1, example: 'charge:x:y' }] } },
  ],
  [
    'I24',
    'a row of a file that became two lines',
    /has 5 rows, and 6 lines are stored/,
    { payouts: { ...sound.payouts, files: sound.payouts.files.map((file) => ({ ...file, lines: 6 })) } },
  ],
  [
    'I24',
    'a booking that was posted twice',
    /1 have 2 ledger transactions/,
    { payouts: { ...sound.payouts, bookings: [{ times: 2, count: 1, example: 'sslcommerz booking 1' }] } },
  ],
  [
    'I24',
    'a residual that nobody is told of',
    /the residual -50 and 0 open cases/,
    { payouts: { ...sound.payouts, residuals: sound.payouts.residuals.map((one) => ({ ...one, cases: 0 })) } },
  ],
  [
    'I1',
    'a posting that lost one side',
    /debits 12345, credits 12645/,
    {
      accounts: sound.accounts.map((account) =>
        account.account === 'gateway:fees' ? { ...account, debitsMinor: '0', statedMinor: '0' } : account,
      ),
    },
  ],
  [
    'I2',
    'a balance that is not the sum of its postings',
    /app:payable.*stated as 1, its postings add up to 12345/,
    {
      accounts: sound.accounts.map((account) =>
        account.account === 'app:payable' ? { ...account, statedMinor: '1' } : account,
      ),
    },
  ],
  ['I3', 'a success without a charge', /SUCCEEDED, the gateway took nothing/, { charges: [] }],
  [
    'I3',
    'a success over less than was asked for',
    /the gateway took 12245/,
    { charges: sound.charges.map((charge) => ({ ...charge, amountMinor: '12245' })) },
  ],
  [
    'I3',
    'a charge that was posted twice',
    /the ledger holds 24690/,
    { postings: [...sound.postings, ...sound.postings] },
  ],
  ['I19', 'a charge that nobody posted', /1 charges, 0 posted to the payment and 0 held/, { postings: [] }],
  ['I3', 'a charge that nobody posted', /the ledger holds only 0/, { postings: [] }],
  [
    'I4',
    'a second order for one payment',
    /2 orders/,
    {
      sessions: [
        ...sound.sessions,
        ...sound.sessions.slice(0, 1).map((session) => ({ ...session, key: 'K2', tranId: 'again' })),
      ],
    },
  ],
  [
    'I4',
    'a second charge',
    /charged 2 times/,
    { charges: [...sound.charges, ...sound.charges.map((charge) => ({ ...charge, valId: 'v2' }))] },
  ],
  [
    'I5',
    'an acknowledged payment that is gone',
    /acknowledged and is not there/,
    { answers: sound.answers.map((answer) => (answer.kind === 'list' ? { ...answer, text: '{"data":[]}' } : answer)) },
  ],
  ['I5', 'an acknowledged notice that is not stored', /answered 200 and is not stored/, { keptNotices: ['d2'] }],
  [
    'I6',
    'two payments under one key',
    /made 2 payments/,
    {
      answers: sound.answers.map((answer) =>
        answer.kind === 'list' && answer.mark === PAID.mark
          ? { ...answer, text: answer.text.replace(/\[(.*)\]/, (_, one: string) => `[${one},${otherPayment(one)}]`) }
          : answer,
      ),
    },
  ],
  [
    'I6',
    'two replies to one key',
    /answered with payments 1 and 9/,
    {
      answers: [
        ...sound.answers,
        ...sound.answers
          .slice(0, 1)
          .map((answer) => ({ ...answer, kind: 'repeat' as const, text: otherPayment(answer.text) })),
      ],
    },
  ],
  [
    'I6',
    'replays with different bytes',
    /not the same bytes/,
    {
      answers: [
        ...sound.answers,
        ...['PENDING', 'FAILED'].map((status) => ({ ...answered(PAID, 'repeat', { status, at: 3 }), replayed: true })),
      ],
    },
  ],
  [
    'I6',
    'another body under a used key that was taken',
    /another body under a used key was answered 201/,
    { answers: [...sound.answers, { ...answered(PAID, 'repeat', { status: 'PENDING', at: 3 }), kind: 'other-body' }] },
  ],
  [
    'I7',
    'a payment that came back from its end',
    /was SUCCEEDED and then PENDING/,
    { answers: [...sound.answers, answered(PAID, 'read', { status: 'PENDING', at: 15 })] },
  ],
  ['I8', 'an end of which the receiver was never told', /never told/, { deliveries: sound.deliveries.slice(1) }],
  [
    'I8',
    'two events for one end',
    /2 events/,
    { deliveries: [...sound.deliveries, ...sound.deliveries.slice(0, 1).map((event) => ({ ...event, id: 'evt_2' }))] },
  ],
  [
    'I8',
    'an event that says something else',
    /its event says payment.failed/,
    {
      deliveries: sound.deliveries.map((event) =>
        event.status === 'EXPIRED' ? event : { ...event, type: 'payment.failed', status: 'FAILED' },
      ),
    },
  ],
  [
    'I8',
    'an event with a bad signature',
    /without a valid signature/,
    { deliveries: sound.deliveries.map((event) => ({ ...event, signatureValid: false })) },
  ],
  [
    'I8',
    'an event at the wrong receiver',
    /wrong receiver/,
    { deliveries: sound.deliveries.map((event) => ({ ...event, receiver: 1 - event.receiver })) },
  ],
  ['I9', 'a workflow that is stuck', /is stuck/, { unsettled: [{ what: 'a payment', waited: 'payment:x' }] }],
  [
    'I9',
    'a charge that ended as a failure',
    /was charged and is FAILED/,
    { answers: [...sound.answers, answered(PAID, 'list', { status: 'FAILED', at: 30 })] },
  ],
  [
    'I9',
    'a failure that the gateway never told',
    /is FAILED, and the gateway never said so/,
    { answers: [...sound.answers, answered(LEFT, 'list', { status: 'FAILED', at: 30 })] },
  ],
  [
    'I9',
    'a cancellation that nobody asked for',
    /nobody called it off/,
    { answers: [...sound.answers, answered(LEFT, 'list', { status: 'CANCELLED', at: 30 })] },
  ],
  [
    'I9',
    'a payment that never ends',
    /is still PENDING/,
    { answers: [...sound.answers, answered(LEFT, 'list', { status: 'PENDING', at: 30 })] },
  ],
  [
    'I20',
    'an acknowledged intent that is gone',
    /pay_104 was acknowledged, and is not kept/,
    {
      answers: sound.answers.map((one) =>
        one.kind === 'list' && one.mark === INTENDED.mark
          ? { ...one, text: one.text.replace('pay_104', 'pay_999') }
          : one,
      ),
    },
  ],
  [
    'I20',
    'a key that was answered with two transactions',
    /one key was answered with pay_104 and pay_999/,
    { answers: [...sound.answers, intended(INTENDED, 'pay_999')] },
  ],
  [
    'I20',
    'an intent that was opened at another gateway',
    /was to be paid at stripe, and has an order at sslcommerz/,
    { attempts: sound.attempts.map((attempt) => ({ ...attempt, gateway: 'sslcommerz' })) },
  ],
  ['I20', 'an end that nobody was told', /has 0 events with 0 bodies, not 1/, { ownpayDeliveries: [] }],
  [
    'I20',
    'an end that was told twice',
    /has 2 events with 1 bodies, not 1/,
    {
      ownpayDeliveries: [
        ...sound.ownpayDeliveries,
        ...sound.ownpayDeliveries.map((event) => ({ ...event, id: 'evt_again' })),
      ],
    },
  ],
  [
    'I20',
    'an event that says something else',
    /ended FAILED, its event says payment.completed completed/,
    {
      ownpayDeliveries: sound.ownpayDeliveries.map((event) => ({
        ...event,
        type: 'payment.completed',
        status: 'completed',
      })),
    },
  ],
  [
    'I20',
    'an event with a bad signature',
    /came without a valid signature/,
    { ownpayDeliveries: sound.ownpayDeliveries.map((event) => ({ ...event, signatureValid: false })) },
  ],
  [
    'I20',
    'an event at the wrong receiver',
    /wrong receiver/,
    { ownpayDeliveries: sound.ownpayDeliveries.map((event) => ({ ...event, receiver: 1 })) },
  ],
  [
    'I20',
    'an event before the end',
    /has an event, and has not ended/,
    { answers: [...sound.answers, answered(INTENDED, 'list', { status: 'PENDING', at: AT_THE_END })] },
  ],
  [
    'I9',
    'a person who is asked what the gateway says',
    /left to a person as unreachable/,
    { answers: [...sound.answers, underReview(LEFT, 'GATEWAY_UNREACHABLE')] },
  ],
  [
    'I9',
    'a workflow whose code cannot go on',
    /failing workflow task: NON_DETERMINISTIC/,
    { workflows: [{ id: 'payment:x', status: 'RUNNING', taskFailures: ['NON_DETERMINISTIC'] }] },
  ],
  [
    'I9',
    'a workflow that failed',
    /ended as FAILED/,
    { workflows: [{ id: 'payment:x', status: 'FAILED', taskFailures: [] }] },
  ],
  [
    'I9',
    'a key that is never answered',
    /never answered with a payment: 503/,
    {
      answers: sound.answers.map((answer) =>
        answer.kind === 'create' && answer.mark === LEFT.mark ? { ...answer, status: 503 } : answer,
      ),
    },
  ],
  [
    'I10',
    "another application's payment that was shown",
    /was answered 200/,
    { foreignReads: [{ by: 'application 0', of: 'payment 2 of application 1', status: 200 }] },
  ],
  [
    'I10',
    "another application's payment in an answer",
    /names pay_101 of another one/,
    {
      answers: sound.answers.map((answer) => ({
        ...answer,
        text: answer.text.replace('http://127.0.0.1/checkout/x', 'pay_101'),
      })),
    },
  ],
  [
    'I11',
    'a secret in a log',
    /the signing secret is in the log of api-0/,
    { canaries: [{ name: 'the signing secret', seenIn: ['the log of api-0'] }] },
  ],
  ['I5', 'an acknowledged refund that is gone', /refund 50 .* is not there as it was/, listed(BY_OPERATORS)],
  [
    'I5',
    'an acknowledged refund of another amount',
    /is not there as it was/,
    listed({ ...BY_APP, amountMinor: 9_999 }),
  ],
  [
    'I5',
    'an approval that was taken and forgotten',
    /approve of 51 by operator 8 was taken and is not kept/,
    listed(BY_APP, { ...BY_OPERATORS, approvedBy: null }),
  ],
  [
    'I5',
    'unapplied money that was said to be kept and is not',
    /late-keep of 70/,
    { postings: sound.postings.filter(({ kind }) => kind !== 'kept') },
  ],
  ['I6', 'two refunds under one key', /one key made 2 refunds/, listed(BY_APP, { ...BY_APP, id: 52 }, BY_OPERATORS)],
  [
    'I6',
    "two replies to one refund's key",
    /answered with refunds 50 and 52/,
    { answers: [...sound.answers, refundAnswered('refund-repeat', { ...BY_APP, id: 52 })] },
  ],
  [
    'I6',
    "replays of a refund's key with different bytes",
    /not the same bytes/,
    {
      answers: [
        ...sound.answers,
        ...['PENDING', 'FAILED'].map((status) =>
          refundAnswered('refund-repeat', { ...BY_APP, status }, { replayed: true }),
        ),
      ],
    },
  ],
  [
    'I6',
    "another body under a refund's used key that was taken",
    /another body under a used key was answered 201/,
    { answers: [...sound.answers, refundAnswered('refund-other-body', BY_APP)] },
  ],
  ['I7', 'a refund that leaves its end', /refund 50 .* was SUCCEEDED and then FAILED/, listed(failed, BY_OPERATORS)],
  [
    'I7',
    'a payment that is whole again',
    /was REFUNDED and then PARTIALLY_REFUNDED/,
    { answers: [...sound.answers, answered(RETURNED, 'list', { status: 'PARTIALLY_REFUNDED', at: AT_THE_END })] },
  ],
  ['I8', 'the end of a refund that nobody was told', /refund 50 .* has 0 events/, deliveriesBut((_, id) => id === 50)],
  [
    'I8',
    'a refund that was told twice',
    /refund 50 .* has 2 events/,
    {
      deliveries: [
        ...sound.deliveries,
        ...sound.deliveries.flatMap((event) => (event.refundId === 50 ? [{ ...event, id: 'evt_again' }] : [])),
      ],
    },
  ],
  [
    'I8',
    'a refund whose event says another end',
    /its event says otherwise/,
    {
      deliveries: sound.deliveries.map((event) =>
        event.refundId === 50 ? { ...event, type: 'refund.failed' } : event,
      ),
    },
  ],
  [
    'I8',
    'a payment that was given back without a word',
    /has 0 events with 0 bodies, not 2/,
    deliveriesBut((type) => type === 'payment.refunded'),
  ],
  [
    'I8',
    'a refund that was told before its end',
    /refund 50 .* has an event, but has not ended/,
    listed({ ...BY_APP, status: 'PENDING' }, BY_OPERATORS),
  ],
  [
    'I9',
    'a refund that never ends',
    /refund 50 .* is still PENDING \(no review\)/,
    listed({ ...BY_APP, status: 'PENDING' }, BY_OPERATORS),
  ],
  [
    'I9',
    'a refund that waits for a person without a reason of the gateway',
    /is still PENDING \(GATEWAY_CANCELLED\)/,
    listed(parked, BY_OPERATORS),
  ],
  [
    'I9',
    'a refund that waits for approval for ever',
    /is still AWAITING_APPROVAL/,
    listed({ ...BY_APP, status: 'AWAITING_APPROVAL' }),
  ],
  ['I9', 'a refusal that the gateway never gave', /the gateway never refused it/, listed(failed)],
  [
    'I9',
    'a rejection that nobody spoke',
    /is REJECTED, and nobody rejected it/,
    listed({ ...BY_APP, status: 'REJECTED', failureCode: 'APPROVER_REJECTED' }),
  ],
  [
    'I9',
    'an approval that came in time and was let expire',
    /expired, and a word about it had been taken/,
    listed(BY_APP, { ...BY_OPERATORS, status: 'REJECTED', failureCode: 'APPROVAL_EXPIRED' }),
  ],
  [
    'I9',
    'a refund that one person called not refunded',
    /by the word of fewer than two/,
    listed({ ...BY_APP, status: 'FAILED', failureCode: 'OPERATOR_FOUND_NOT_REFUNDED' }),
  ],
  [
    'I9',
    "a refund's key that is never answered",
    /1-0-2-r0 was never answered with a refund: 503/,
    {
      answers: sound.answers.map((answer) =>
        answer.kind === 'refund' ? { ...answer, status: 503, text: '' } : answer,
      ),
    },
  ],
  [
    'I9',
    'a refund that fits into the balance and is refused',
    /1-0-2-r0 was never answered with a refund: 409/,
    {
      errands: sound.errands.map((one) => (one.mark === RETURNED.mark ? { ...one, refund: 'part' } : one)),
      answers: sound.answers.map((answer) =>
        answer.kind === 'refund'
          ? { ...answer, status: 409, text: '{"meta":{"errorCode":"REFUND_EXCEEDS_BALANCE"}}' }
          : answer,
      ),
    },
  ],
  [
    'I13',
    'more given back than was taken',
    /took 30000 and gave back 40000/,
    { refunded: [...sound.refunded, ...sound.refunded.slice(0, 1).map((one) => ({ ...one, outcome: null }))] },
  ],
  [
    'I13',
    'a refund that the gateway has twice',
    /has ref_50 more than once/,
    { refunded: [...sound.refunded, ...sound.refunded.slice(0, 1)] },
  ],
  [
    'I13',
    'a refund at the gateway that we do not know',
    /a refund ref_51 that no row knows/,
    { refundNames: sound.refundNames.slice(0, 1) },
  ],
  [
    'I14',
    'a success that the gateway never carried out',
    /is SUCCEEDED, the gateway gave back nothing/,
    { refunded: sound.refunded.map((one) => ({ ...one, outcome: null })) },
  ],
  [
    'I14',
    'a success over another amount',
    /of 10000 is SUCCEEDED, the gateway gave back 9900/,
    { refunded: sound.refunded.map((one) => (one.amountMinor === '10000' ? { ...one, amountMinor: '9900' } : one)) },
  ],
  [
    'I14',
    'a success that nobody posted',
    /is SUCCEEDED, the ledger has nothing for it/,
    { postings: sound.postings.filter(({ kind }) => kind !== 'refund') },
  ],
  ['I14', 'a failure that gave money back', /is FAILED, the gateway has it as refunded/, listed(failed, BY_OPERATORS)],
  ['I14', 'a failure that is posted', /is FAILED, the ledger has 10000 for it/, listed(failed, BY_OPERATORS)],
  [
    'I14',
    'a success that is posted twice',
    /is SUCCEEDED, the ledger has 20000 for it/,
    { postings: [...sound.postings, ...sound.postings.filter(({ causeId }) => causeId === 'ref_50')] },
  ],
  [
    'I14',
    'a refund that the api does not list',
    /refund 50 is there, and the api does not list it/,
    listed(BY_OPERATORS),
  ],
  ['I14', 'a payment that is given back by nothing', /is REFUNDED, with 0 of 30000 given back/, listed()],
  [
    'I14',
    'a payment whose status is not the sum of its refunds',
    /is REFUNDED, with 20000 of 30000 given back/,
    listed(failed, BY_OPERATORS),
  ],
  [
    'I14',
    'more reserved than was taken',
    /40000 of 30000 is given back or reserved/,
    listed(BY_APP, BY_OPERATORS, { ...parked, id: 52 }),
  ],
  [
    'I15',
    'money above the threshold that nobody approved',
    /without the approval of a second person/,
    without('approve'),
  ],
  [
    'I15',
    'an approval that came after the money went',
    /without the approval of a second person/,
    { refunded: sound.refunded.map((one) => ({ ...one, atMs: 1 })) },
  ],
  [
    'I15',
    'an approval by the one who had asked',
    /operator:8 asked for it, and his own approve was taken/,
    listed(BY_APP, { ...BY_OPERATORS, createdBy: 'operator:8' }),
  ],
  [
    'I15',
    'unapplied money that one person gave back',
    /unapplied money was given back by the word of 0/,
    { refundNames: sound.refundNames.map((name) => ({ ...name, unappliedPaymentId: 70 })) },
  ],
  [
    'I15',
    'unapplied money that one person let be kept',
    /unapplied money was kept by the word of 1/,
    { answers: [...sound.answers.filter(({ kind }) => kind !== 'late-keep'), lateWord(8)] },
  ],
  ['I12', 'a finding of the verification', /SEAL_BROKEN/, { findings: ['{"code":"SEAL_BROKEN"}'] }],
  [
    'I16',
    'money for an invoice that the gateway never took',
    /has 40000 paid; the gateway took 0, 0 lies in suspense/,
    { answers: [...sound.answers, billAnswered('bill-look', 26, { amountPaidMinor: 40_000, amountDueMinor: 50_000 })] },
  ],
  [
    'I16',
    'paid and due that do not make the total',
    /40000 paid and 90000 due of 90000/,
    { answers: [...sound.answers, billAnswered('bill-look', 26, { amountPaidMinor: 40_000 })] },
  ],
  [
    'I16',
    'two payments of all of an invoice, and no overpayment',
    /over 90000 has 90000 paid; the gateway took 180000, 0 lies in suspense/,
    twicePaid(0),
  ],
  [
    'I17',
    'a number that nobody has',
    /application 0 have the numbers 1, 3/,
    { numbers: [{ app: 0, numbers: [3, 1] }] },
  ],
  [
    'I17',
    'a key that made two invoices',
    /one key made the invoices 60 and 61/,
    { answers: [...sound.answers, billAnswered('bill-repeat', 26, { id: 61 })] },
  ],
  [
    'I17',
    'an invoice that was void and is not any more',
    /was void, and is OVERDUE/,
    { answers: [...sound.answers, billAnswered('bill-void', 3)] },
  ],
  [
    'I18',
    'a notice that was told twice',
    /"invoice.overdue 2026-11-20 1" was told twice/,
    { invoiceDeliveries: [...sound.invoiceDeliveries, billEvent('overdue', 3, '2026-11-20 1')] },
  ],
  [
    'I18',
    'what is overdue, and nobody was told',
    /due on 2026-11-20 is overdue, and nobody was told/,
    { invoiceDeliveries: [billEvent('issued', 1)] },
  ],
  [
    'I18',
    'an event that is missing in the order',
    /has events 1, 3/,
    { invoiceDeliveries: [billEvent('issued', 1), billEvent('overdue', 3, '2026-11-20 1')] },
  ],
  [
    'I21',
    'a payment by hand that one person confirmed, where two are needed',
    /submission 80 is CONFIRMED by the word of 1, and needs 2/,
    { answers: sound.answers.filter(({ desk }) => desk?.operatorId !== 8) },
  ],
  [
    'I21',
    'a payment by hand that one person had confirmed before the second one spoke',
    /submission 80 is CONFIRMED by the word of 1, and needs 2/,
    {
      answers: sound.answers.map((answer) =>
        answer.kind === 'manual-confirm' && answer.desk?.operatorId === 7
          ? handWord('confirm', 7, 'CONFIRMED')
          : answer,
      ),
    },
  ],
  ['I21', 'a payment by hand that nobody confirmed', /by the word of 0, and needs 2/, without('manual-confirm')],
  [
    'I21',
    'a rejection that was taken and forgotten',
    /was answered as REJECTED, and is CONFIRMED/,
    { answers: [...sound.answers, handWord('reject', 7, 'REJECTED')] },
  ],
  [
    'I21',
    'a confirmation whose payment never succeeded',
    /1-0-5 is EXPIRED, and operators confirmed it 1 times/,
    { answers: [...sound.answers, answered(BY_HAND, 'list', { status: 'EXPIRED', at: AT_THE_END })] },
  ],
  [
    'I21',
    'a payment by hand that succeeded though it was rejected',
    /1-0-5 is SUCCEEDED, and operators confirmed it 0 times/,
    { answers: [...sound.answers, handEnd({ status: 'REJECTED' })] },
  ],
  [
    'I21',
    'a payment by hand that was confirmed twice',
    /operators confirmed it 2 times/,
    { answers: [...sound.answers, handEnd({ id: 81, transaction: 'TX-2' })] },
  ],
  [
    'I21',
    'a transaction that paid for two things',
    /the transaction TX105 at fault_test is confirmed more than once/,
    { answers: [...sound.answers, handEnd({ id: 81, code: 'other', transaction: 'tx 105' }, PAID)] },
  ],
  [
    'I21',
    'what a payer was shown as told, and is gone',
    /its payer was shown TX-1 0 5 as told, and no operator finds it/,
    without('manual-end'),
  ],
  [
    'I22',
    'a charge that was lost with an older database, and that nobody is told of',
    /the charge of tranLOST, whose payment pay_lost is lost, is told to nobody/,
    {
      restored: {
        lostPayments: 1,
        lostCharges: [{ order: 'tranLOST', payment: 'pay_lost', listed: false }],
        numbersGivenTwice: [],
        staleEvents: [],
      },
    },
  ],
  [
    'I22',
    'a payment with the number of one that was lost',
    /pay_100 has the number of a payment that was lost/,
    { restored: { lostPayments: 1, lostCharges: [], numbersGivenTwice: ['pay_100'], staleEvents: [] } },
  ],
  [
    'I22',
    'an event with the sequence of one that was lost',
    /receivers ignore evt_1 of pay_100 with sequence 1, because they have seen a larger one/,
    {
      restored: {
        lostPayments: 1,
        lostCharges: [],
        numbersGivenTwice: [],
        staleEvents: ['evt_1 of pay_100 with sequence 1'],
      },
    },
  ],
];

/** Charged at bKash and at Stripe: one charge finalizes the payment, the other is held. */
const TWICE: Errand = { ...PAID, gateways: ['bkash', 'stripe'], act: 'pay-at-both' };
function paidAtBoth(): Evidence {
  const order = (gateway: GatewayName) => ({ gateway, tranId: `${gateway}${TWICE.mark}` });
  const [session] = sound.sessions;
  const [charge] = sound.charges;
  if (session === undefined || charge === undefined) {
    throw new Error('the sound round is empty');
  }
  const isOther = ({ mark, tranId }: { mark?: string; tranId?: string }): boolean =>
    mark !== TWICE.mark && tranId !== `tran${TWICE.mark}`;
  const both = (['bkash', 'stripe'] as const).map(order);
  return {
    ...sound,
    errands: sound.errands.map((one) => (one.mark === TWICE.mark ? TWICE : one)),
    sessions: [...sound.sessions.filter(isOther), ...both.map((own) => ({ ...session, ...own, key: own.tranId }))],
    charges: [...sound.charges.filter(isOther), ...both.map((own) => ({ ...charge, ...own }))],
    attempts: [
      ...sound.attempts.filter(isOther),
      ...both.map(({ gateway, tranId: reference }) => ({ reference, gateway, mark: TWICE.mark })),
    ],
    postings: [
      ...sound.postings.map((one) => (one.mark === TWICE.mark ? { ...one, gateway: 'bkash' } : one)),
      { ...heldLate(TWICE), causeId: `stripe${TWICE.mark}:${charge.valId}`, gateway: 'stripe' },
    ],
  };
}

describe('the judges', () => {
  test('find nothing in a round that is sound, and all of them had something to judge', () => {
    // A judge that reports sound evidence, or that checks nothing, would make the fault tests worthless.
    expect(broken(sound)).toEqual({});
    expect([...judge(sound)].filter(([, { judged }]) => judged === 0)).toEqual([]);
  });

  test.each(PLANTED)('%s names %s', (name, _what, words, planted) => {
    // A judge that cannot fail would make the fault tests worthless.
    expect((broken({ ...sound, ...planted })[name] ?? []).join('\n')).toMatch(words);
  });

  test('are each tried with something planted', () => {
    // A new invariant without a counterexample could be one that cannot fail.
    const tried = new Set(PLANTED.map(([name]) => name));
    expect(INVARIANTS.filter((name) => !tried.has(name))).toEqual([]);
  });

  test('let what is too much for an invoice lie in suspense', () => {
    // Two payers who pay at once must not be reported as a defect: all their money is recorded, and the invoice got what it asked for.
    const first = billAnswered('bill-look', 1, {
      status: 'PAID',
      amountPaidMinor: BILLED.totalMinor,
      amountDueMinor: 0,
    });
    const paid = twicePaid(BILLED.totalMinor);
    const answers = (paid.answers ?? []).map((answer) => (answer.kind === 'bill-look' ? first : answer));
    expect(broken({ ...sound, ...paid, answers })).not.toHaveProperty('I16');
  });

  test('let a payer who called it off and paid all the same have his money held', () => {
    // Unapplied money is the only case in which a charge and CANCELLED go together.
    const errand = { ...PAID, act: 'cancel-then-pay' } as const;
    const answers = sound.answers.map((answer) =>
      answer.mark === PAID.mark && answer.kind !== 'create'
        ? answered(PAID, answer.kind, { status: 'CANCELLED', at: 20 })
        : answer,
    );
    const deliveries = sound.deliveries.map((event) =>
      event.reference === 'pay_100' ? { ...event, type: 'payment.cancelled', status: 'CANCELLED' } : event,
    );
    expect(
      broken({
        ...sound,
        errands: sound.errands.map((one) => (one.mark === PAID.mark ? errand : one)),
        answers,
        deliveries,
        postings: sound.postings.map((one) => (one.mark === PAID.mark ? heldLate(PAID) : one)),
      }),
    ).toEqual({});
  });

  test('let money come unseen once a payment has expired, and be held', () => {
    // A payer may pay at Nagad after the payment has expired, and Nagad sends no notification. That must not be reported as a defect.
    const unseen = { ...PAID, gateways: ['nagad'], visits: ['nagad'], act: 'pay-after-expiry' } as const;
    expect(broken(paidUnseen(unseen))).toEqual({});
    expect((broken(paidUnseen({ ...unseen, act: 'pay' })).I9 ?? []).join()).toMatch(/was charged and is EXPIRED/);
    expect((broken({ ...paidUnseen(unseen), postings: [] }).I19 ?? []).join()).toMatch(
      /0 posted to the payment and 0 held/,
    );
  });

  test('let a payment fail whose order was made twice, and only where no page of it was ever known', () => {
    // Only a gateway's refusal of a repeated order may fail a payment like this. Any other failure must be reported.
    const order = { ...LEFT, gateways: ['nagad'], visits: ['nagad'] } as const;
    const failing = (page: string | null, made: boolean): Evidence => ({
      ...sound,
      errands: sound.errands.map((one) => (one.mark === LEFT.mark ? order : one)),
      sessions: sound.sessions.flatMap((one) => {
        const isOwn = one.mark === LEFT.mark;
        return isOwn && !made ? [] : [isOwn ? { ...one, gateway: 'nagad' } : one];
      }),
      answers: sound.answers.map((answer) =>
        answer.mark === LEFT.mark && answer.kind === 'list' ? failedAt(page) : answer,
      ),
    });
    expect(broken(failing(null, true)).I9).toBeUndefined();
    expect((broken(failing('http://gateway.example/', true)).I9 ?? []).join()).toMatch(/never said so/);
    expect((broken(failing(null, false)).I9 ?? []).join()).toMatch(/never said so/);
  });

  test.each([
    ['nagad', { ...failed }, /the gateway never refused it/],
    ['manual', { ...parked, review: { reason: 'PAID_BACK_BY_HAND' } }, /is still PENDING \(PAID_BACK_BY_HAND\)/],
  ])('let %s give nothing back by itself, and no other gateway', (gateway, refund, words) => {
    // Unapplied money at a gateway without refunds must not be reported as a defect. At any other gateway, missing refunds must be reported.
    const refunds: Partial<Evidence> = {
      answers: [...sound.answers, refundList([refund, BY_OPERATORS], AT_THE_END)],
      refunded: sound.refunded.filter(({ reference }) => reference !== 'ref_50'),
    };
    const refundNames = sound.refundNames.map((name) => ({ ...name, gateway }));
    const said = (evidence: Evidence): string => (broken(evidence).I9 ?? []).join('\n');
    expect(said({ ...sound, ...refunds, refundNames })).not.toMatch(words);
    expect(said({ ...sound, ...refunds })).toMatch(words);
  });

  test('name a payment that expired while its gateway was at work on it', () => {
    // Otherwise a payment could expire unnoticed while its money is on the way.
    const working = sound.sessions.map((one) =>
      one.mark === LEFT.mark ? { ...one, outcome: 'PROCESSING', outcomeIsSaid: false } : one,
    );
    expect((broken({ ...sound, sessions: working }).I9 ?? []).join()).toMatch(/its gateway is at work on it/);
  });

  test('let a payer pay at two gateways, where the second charge is held', () => {
    // A payer who changes gateways may be charged twice. One charge finalizes the payment, and the other is held for the payer.
    expect(broken(paidAtBoth())).toEqual({});
  });

  test.each<readonly [string, RegExp, (evidence: Evidence) => Partial<Evidence>]>([
    [
      'a second charge that nobody holds',
      /2 charges, 1 posted to the payment and 0 held/,
      ({ postings }) => ({
        postings: postings.filter(({ gateway, kind }) => gateway !== 'stripe' || kind !== 'unapplied'),
      }),
    ],
    [
      'a second charge that is settled, too',
      /is SUCCEEDED, with 2 posted charges/,
      ({ postings }) => ({
        postings: postings.map((one) =>
          one.gateway === 'stripe' ? { ...one, kind: 'charge', causeType: 'payment' } : one,
        ),
      }),
    ],
    [
      'a second charge that is held twice',
      /is held as unapplied money without a charge of its own/,
      ({ postings }) => ({ postings: [...postings, ...postings.filter(({ gateway }) => gateway === 'stripe')] }),
    ],
    [
      "a charge on another gateway's account",
      /bkash took 12345, its clearing account was given 0/,
      ({ postings }) => ({
        postings: postings.map((one) => (one.gateway === 'bkash' ? { ...one, gateway: 'stripe' } : one)),
      }),
    ],
    [
      'an attempt that was charged twice',
      /the attempt stripe stripe1-0-0 was charged more than once/,
      ({ charges }) => ({ charges: [...charges, ...charges.filter(({ gateway }) => gateway === 'stripe')] }),
    ],
    [
      'a charge that no row knows',
      /stripe took 12345 for stripe1-0-0, which no row knows/,
      ({ charges }) => ({ strays: charges.filter(({ gateway }) => gateway === 'stripe') }),
    ],
    [
      "an order at another gateway than its attempt's",
      /bkash1-0-0 is an order at bkash, and an attempt at stripe/,
      ({ attempts }) => ({ attempts: attempts.map((one) => ({ ...one, gateway: 'stripe' })) }),
    ],
  ])('I19 names %s', (_what, words, plant) => {
    // A judge that cannot fail would make the fault tests worthless.
    const evidence = paidAtBoth();
    expect((broken({ ...evidence, ...plant(evidence) }).I19 ?? []).join('\n')).toMatch(words);
  });

  test.each([
    ['cancelled by the gateway', 'GATEWAY_CANCELLED', { outcome: 'cancelled' }, null],
    ['never finished by the gateway', 'STUCK_AT_GATEWAY', { outcome: null }, null],
    ['refused after an answer was lost', 'REFUSED_AFTER_DOUBT', null, 'refund-refused'],
  ] as const)('let a refund that was %s wait for a person', (_what, reason, booked, script) => {
    // These are the only cases in which a refund may stay open.
    const waiting = { ...BY_APP, status: 'PENDING', review: { reason } };
    const evidence: Evidence = {
      ...sound,
      errands: sound.errands.map((one) => (one.mark === RETURNED.mark ? { ...one, script } : one)),
      answers: [
        ...sound.answers.filter(({ kind }) => kind !== 'list' && kind !== 'refund-list'),
        ...sound.answers.filter(({ kind, mark }) => kind === 'list' && mark !== RETURNED.mark),
        answered(RETURNED, 'list', { status: 'PARTIALLY_REFUNDED', at: AT_THE_END }),
        refundList([waiting, BY_OPERATORS], AT_THE_END),
      ],
      refunded: sound.refunded.flatMap((one) =>
        one.reference === 'ref_50' ? (booked === null ? [] : [{ ...one, ...booked }]) : [one],
      ),
      postings: sound.postings.filter(({ causeId }) => causeId !== 'ref_50'),
      deliveries: sound.deliveries
        .filter(({ refundId }) => refundId !== 50)
        .filter(({ status }) => status !== 'REFUNDED'),
    };
    expect(broken(evidence)).toEqual({});
  });
});
