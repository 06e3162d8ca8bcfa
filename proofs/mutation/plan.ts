import { globSync } from 'node:fs';

/** Files that one share of killed mutants is asked of. */
export interface Group {
  readonly name: string;
  readonly scoreMin: number;
  readonly files: readonly string[];
}

/** Files whose mutants the same tests can kill, so that one run of Stryker takes them together. */
export interface Pass {
  readonly name: string;
  readonly files: readonly string[];
  /** Globs below the project. */
  readonly tests: readonly string[];
}

const MONEY_AND_GUARDS = [
  'domain/currency.ts',
  'domain/ledger.ts',
  'domain/money.ts',
  'domain/outbound-url.ts',
  'domain/payment.ts',
  'domain/verification.ts',
  'domain/webhook.ts',
  'activities/webhooks/signature.ts',
  'database/idempotency.ts',
  'database/new-payments.ts',
  'gateways/sslcommerz/signature.ts',
  'runtime/http-client/resolve.ts',
  'runtime/http-client/connector.ts',
];

/** What moves money or keeps somebody out is asked more than the rest. */
export function groups(root: string): Group[] {
  const rest = globSync('{domain,activities}/**/*.ts', { cwd: root })
    .filter((file) => !MONEY_AND_GUARDS.includes(file) && !HAS_NO_LOGIC.has(file))
    .toSorted();
  return [
    { name: 'money, states, ledger, idempotency, signatures, SSRF guard', scoreMin: 90, files: MONEY_AND_GUARDS },
    { name: 'the rest of domain/ and activities/', scoreMin: 80, files: rest },
  ];
}

/** Types, and one object that names the activities. */
const HAS_NO_LOGIC: ReadonlySet<string> = new Set(['activities/dependencies.ts', 'activities/payments/scope.ts']);

const PURE_TESTS = [
  'test/domain',
  'test/callbacks/sslcommerz-*.test.ts',
  'test/ledger/posting-rules.test.ts',
  'test/webhooks/outbound-url.test.ts',
  'test/webhooks/schedule.test.ts',
  'test/webhooks/signature.test.ts',
  'test/activities/*-rules.test.ts',
];
const CONNECTION_TESTS = ['test/webhooks/http-client.test.ts', 'test/webhooks/connector.test.ts'];
const DATABASE_TESTS = [
  'test/activities/payment.test.ts',
  'test/activities/sweep.test.ts',
  'test/activities/*-activities.test.ts',
  'test/activities/*-rules.test.ts',
  'test/api/idempotency.test.ts',
  'test/database/idempotency.test.ts',
  'test/ledger/posting.test.ts',
  'test/ledger/seal.test.ts',
  'test/webhooks/delivery.test.ts',
];

/** Pure code must be held by tests that need nothing; what connects is tested on sockets, what stores on a database. */
export function passes(files: readonly string[]): Pass[] {
  const kinds: readonly Pass[] = [
    { name: 'pure', files: files.filter((file) => kindOf(file) === 'pure'), tests: PURE_TESTS },
    { name: 'connecting', files: files.filter((file) => kindOf(file) === 'connecting'), tests: CONNECTION_TESTS },
    { name: 'storing', files: files.filter((file) => kindOf(file) === 'storing'), tests: DATABASE_TESTS },
  ];
  return kinds.filter((pass) => pass.files.length > 0);
}

const PURE_ACTIVITIES: ReadonlySet<string> = new Set([
  'activities/failures.ts',
  'activities/webhooks/retry-after.ts',
  'activities/webhooks/signature.ts',
]);

function kindOf(file: string): 'pure' | 'connecting' | 'storing' {
  if (file.startsWith('runtime/http-client')) {
    return 'connecting';
  }
  return /^(activities|database)\//.test(file) && !PURE_ACTIVITIES.has(file) ? 'storing' : 'pure';
}
