import { describe, expect, test } from '@jest/globals';
import type { Evidence } from '../../proofs/faults/evidence.ts';
import { INVARIANTS, judge, type InvariantName } from '../../proofs/faults/judges.ts';
import { answered, LEFT, PAID, soundRound } from './round-evidence.ts';

function broken(evidence: Evidence): Partial<Record<InvariantName, readonly string[]>> {
  return Object.fromEntries(
    [...judge(evidence)].flatMap(([name, { violations }]) => (violations.length > 0 ? [[name, violations]] : [])),
  );
}

const sound = soundRound();
const otherPayment = (text: string): string => text.replaceAll('pay_100', 'pay_999').replaceAll('"id":1', '"id":9');

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
      event.status === 'SUCCEEDED' ? { ...event, type: 'payment.cancelled', status: 'CANCELLED' } : event,
    );
    expect(broken({ ...sound, errands: [errand, LEFT], answers, deliveries })).toEqual({});
  });
});
