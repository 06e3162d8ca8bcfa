import { describe, expect, test } from '@jest/globals';
import { inapplicable, problemsOf, tablesOf, type Fuzzed } from '../../proofs/fuzz/verdict.ts';

const OPERATIONS = ['GET /things', 'POST /things'];

function good(): Fuzzed {
  return {
    operations: OPERATIONS,
    examples: 50,
    subject: { beyondSchema: {}, silentChecks: {}, fewCases: null, seldom: {} },
    counts: {
      checks: { not_a_server_error: { ran: 120, judged: 120 }, use_after_free: { ran: 120, judged: 0 } },
      cases: OPERATIONS.flatMap((operation) => [
        { operation, phase: 'fuzzing', mode: 'positive', count: 30 },
        { operation, phase: 'fuzzing', mode: 'negative', count: 20 },
        { operation, phase: 'coverage', mode: 'negative', count: 10 },
      ]),
      statuses: OPERATIONS.flatMap((operation) => [
        { operation, status: 200, count: 40 },
        { operation, status: 400, count: 20 },
      ]),
    },
    report: {
      schemathesis_version: '4.32.5',
      seed: 1,
      running_time: 20,
      stop_reason: 'completed',
      complete: true,
      exit_code: 0,
      operations: { total: 2, selected: 2, tested: 2, errored: 0, skipped: 0 },
      phases: Object.fromEntries(
        ['examples', 'coverage', 'fuzzing', 'stateful'].map((name) => [name, { status: 'success' }]),
      ),
      test_cases: { generated: 120 },
      failures: [],
      errors: [],
      filtered: 0,
      warnings: {},
    },
  };
}

function withCounts(counts: Partial<Fuzzed['counts']>): Fuzzed {
  const fuzzed = good();
  return { ...fuzzed, counts: { ...fuzzed.counts, ...counts } };
}

function withReport(report: Partial<Fuzzed['report']>): Fuzzed {
  const fuzzed = good();
  return { ...fuzzed, report: { ...fuzzed.report, ...report } };
}

describe('a run is a proof', () => {
  test('when nothing failed, every check judged, every operation succeeded and got its examples', () => {
    // The other tests mean something only if a good run passes.
    expect(problemsOf(good())).toEqual([]);
  });

  test('and its tables name each check and operation with its counts', () => {
    // Readers of the tables do not see the run itself.
    const [checks, operations] = tablesOf(good());
    expect(checks?.rows).toContainEqual(['not_a_server_error', '120', '120', '0']);
    expect(operations?.rows[0]).toEqual(['GET /things', '0', '10', '50', '0', '40', '200 × 40, 400 × 20']);
  });
});

describe('a run is no proof when', () => {
  const cases: readonly (readonly [string, Fuzzed, RegExp])[] = [
    ['a check ran and judged nothing', withCounts({ checks: { ignored_auth: { ran: 9, judged: 0 } } }), /ignored_auth/],
    ['a check never ran', withCounts({ checks: { not_a_server_error: { ran: 0, judged: 0 } } }), /not_a_server_error/],
    ['no check was counted', withCounts({ checks: {} }), /no check/],
    [
      'an operation never succeeded',
      withCounts({ statuses: [{ operation: 'GET /things', status: 200, count: 1 }] }),
      /POST \/things never/,
    ],
    ['an operation got too few examples', withCounts({ cases: [] }), /0 examples of 50/],
    ['an operation was left out', withReport({ operations: { ...good().report.operations, tested: 1 } }), /1 of 2/],
    [
      'a phase was skipped',
      withReport({ phases: { ...good().report.phases, stateful: { status: 'skip' } } }),
      /stateful/,
    ],
    ['a phase is missing', withReport({ phases: {} }), /examples is missing/],
    ['failures were filtered out', withReport({ filtered: 1 }), /filtered/],
    ['it ended early', withReport({ stop_reason: 'max_time' }), /max_time/],
    ['it ended with another code', withReport({ exit_code: 1 }), /ended with 1/],
    ['it is not complete', withReport({ complete: false }), /ended/],
    ['there was an error', withReport({ errors: [{ title: 'Network', count: 1 }] }), /Network/],
    [
      'there was a failure',
      withReport({ failures: [{ title: 'Server error', code: 'ST001', count: 1, operations: ['GET /things'] }] }),
      /ST001 Server error: GET/,
    ],
  ];

  test.each(cases)('%s', (_name, fuzzed, problem) => {
    // A tool without output must not count as a success.
    expect(problemsOf(fuzzed).join('\n')).toMatch(problem);
  });
});

test('a check is excused only as long as the contract lacks what it is about', () => {
  // As soon as something can be deleted, a check for use after deletion that judged nothing is a failure.
  const deletable = [...OPERATIONS, 'DELETE /things/{id}'];
  const subject = {
    beyondSchema: {},
    silentChecks: { another_check: 'nothing of it here' },
    fewCases: null,
    seldom: {},
  };
  const why = (check: string, operations = OPERATIONS) => inapplicable(check, { operations, subject });
  expect(why('use_after_free')).toMatch(/no DELETE/);
  expect(why('use_after_free', deletable)).toBeNull();
  expect(why('not_a_server_error')).toBeNull();
  expect(why('another_check')).toBe('nothing of it here');
});

test('an operation is excused from answering well only by name', () => {
  // Requirements that a schema cannot express are listed per operation, and apply to that operation only.
  const never = withCounts({ statuses: [{ operation: 'GET /things', status: 200, count: 40 }] });
  expect(problemsOf(never)).toEqual(['POST /things never answered 2xx']);
  const subject = {
    beyondSchema: { 'POST /things': 'wants a password' },
    silentChecks: {},
    fewCases: null,
    seldom: {},
  };
  expect(problemsOf({ ...never, subject })).toEqual([]);
});

test('an operation is excused from as many cases as are asked for only by name, and never from two', () => {
  // "Seldom" must not mean never.
  const cases = (count: number): Fuzzed => {
    const { subject, ...fuzzed } = withCounts({
      cases: [
        { operation: 'GET /things', phase: 'fuzzing', mode: 'positive', count: 50 },
        { operation: 'POST /things', phase: 'fuzzing', mode: 'positive', count },
      ],
    });
    return { ...fuzzed, subject: { ...subject, seldom: { 'POST /things': 'has few objects' } } };
  };
  expect(problemsOf(cases(2))).toEqual([]);
  expect(problemsOf(cases(1))).toEqual(['POST /things got 1 examples of 50']);
});
