import { describe, expect, test } from '@jest/globals';
import type { Evidence } from '../../proofs/faults/evidence.ts';
import { INVARIANTS, judge, type InvariantName } from '../../proofs/faults/judges.ts';
import type { Answer } from '../../proofs/faults/journal.ts';
import {
  answered,
  BY_APP,
  BY_OPERATORS,
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

/** What is planted, which judge must name it, and a word of what it must say. */
const PLANTED: readonly (readonly [InvariantName, string, RegExp, Partial<Evidence>])[] = [
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
    'late money that was said to be kept and is not',
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
    { givenBack: [...sound.givenBack, ...sound.givenBack.slice(0, 1).map((one) => ({ ...one, outcome: null }))] },
  ],
  [
    'I13',
    'a refund that the gateway has twice',
    /has ref_50 more than once/,
    { givenBack: [...sound.givenBack, ...sound.givenBack.slice(0, 1)] },
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
    { givenBack: sound.givenBack.map((one) => ({ ...one, outcome: null })) },
  ],
  [
    'I14',
    'a success over another amount',
    /of 10000 is SUCCEEDED, the gateway gave back 9900/,
    { givenBack: sound.givenBack.map((one) => (one.amountMinor === '10000' ? { ...one, amountMinor: '9900' } : one)) },
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
    { givenBack: sound.givenBack.map((one) => ({ ...one, atMs: 1 })) },
  ],
  [
    'I15',
    'an approval by the one who had asked',
    /operator:8 asked for it, and his own approve was taken/,
    listed(BY_APP, { ...BY_OPERATORS, createdBy: 'operator:8' }),
  ],
  [
    'I15',
    'late money that one person gave back',
    /late money was given back by the word of 0/,
    { refundNames: sound.refundNames.map((name) => ({ ...name, latePaymentId: 70 })) },
  ],
  [
    'I15',
    'late money that one person let be kept',
    /late money was kept by the word of 1/,
    { answers: [...sound.answers.filter(({ kind }) => kind !== 'late-keep'), lateWord(8)] },
  ],
  ['I12', 'a finding of the verification', /SEAL_BROKEN/, { findings: ['{"code":"SEAL_BROKEN"}'] }],
];

describe('the judges', () => {
  test('find nothing in a round that is sound, and all of them had something to judge', () => {
    // Protects the proof from judges that cry wolf and from judges that sleep.
    expect(broken(sound)).toEqual({});
    expect([...judge(sound)].filter(([, { judged }]) => judged === 0)).toEqual([]);
  });

  test.each(PLANTED)('%s names %s', (name, _what, words, planted) => {
    // Protects the proof from a check that cannot fail.
    expect((broken({ ...sound, ...planted })[name] ?? []).join('\n')).toMatch(words);
  });

  test('are each tried with something planted', () => {
    // Protects a new invariant from coming without its own counterexample.
    const tried = new Set(PLANTED.map(([name]) => name));
    expect(INVARIANTS.filter((name) => !tried.has(name))).toEqual([]);
  });

  test('let a payer who called it off and paid all the same have his money held', () => {
    // Protects late money, the one way in which a charge and CANCELLED go together.
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
      }),
    ).toEqual({});
  });

  test.each([
    ['cancelled by the gateway', 'GATEWAY_CANCELLED', { outcome: 'cancelled' }, null],
    ['never finished by the gateway', 'STUCK_AT_GATEWAY', { outcome: null }, null],
    ['refused after an answer was lost', 'REFUSED_AFTER_DOUBT', null, 'refund-refused'],
  ] as const)('let a refund that was %s wait for a person', (_what, reason, booked, script) => {
    // Protects the one way in which a refund may stay open.
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
      givenBack: sound.givenBack.flatMap((one) =>
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
