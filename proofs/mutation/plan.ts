import { globSync } from 'node:fs';

/** Files with a common minimum share of killed mutants. */
export interface Group {
  readonly name: string;
  readonly scoreMin: number;
  readonly files: readonly string[];
}

/** Files whose mutants the same tests can kill, so that one run of Stryker covers them. */
export interface Pass {
  readonly name: string;
  readonly files: readonly string[];
  /** Globs relative to the project's root. */
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
  'core/contracts/signature.ts',
  'core/idempotency/store.ts',
  'core/payments/store/new-payments.ts',
  'gateways/sslcommerz/signature.ts',
  'runtime/http-client/resolve.ts',
  'runtime/http-client/connector.ts',
];

/** Returns the groups. Code that moves money or restricts access has a higher minimum than the rest. */
export function groups(root: string): Group[] {
  const rest = globSync('{domain,activities}/**/*.ts', { cwd: root })
    .filter((file) => !MONEY_AND_GUARDS.includes(file) && !HAS_NO_LOGIC.has(file))
    .toSorted();
  return [
    { name: 'money, states, ledger, idempotency, signatures, SSRF guard', scoreMin: 90, files: MONEY_AND_GUARDS },
    { name: 'the rest of domain/ and activities/', scoreMin: 80, files: rest },
  ];
}

/** Only types, and one object that names the activities. */
const HAS_NO_LOGIC: ReadonlySet<string> = new Set(['core/dependencies.ts', 'core/scope.ts']);

interface Kind {
  readonly name: string;
  readonly holds: (file: string) => boolean;
  /** Few and specific tests: for each mutant, every test that imports its file is loaded. */
  readonly tests: readonly string[];
}

const PURE_ACTIVITIES: ReadonlySet<string> = new Set([
  'activities/failures.ts',
  'core/webhooks/endpoint-gate.ts',
  'core/webhooks/retry-after.ts',
  'core/webhooks/send.ts',
  'core/contracts/signature.ts',
]);

/**
 * Each file belongs to the first kind that matches. Code that connects is tested with sockets, code that stores with a database, and the rest without
 * servers.
 */
const KINDS: readonly Kind[] = [
  {
    name: 'connecting',
    holds: (file) => file.startsWith('runtime/http-client/'),
    tests: ['test/webhooks/connector.test.ts'],
  },
  {
    name: 'sweeping',
    holds: (file) => file === 'core/sweep/sweep.ts',
    tests: ['test/activities/sweep-steps.test.ts'],
  },
  {
    name: 'storing',
    holds: (file) => /^(activities|database)\//.test(file) && !PURE_ACTIVITIES.has(file),
    tests: ['test/activities/*-activities.test.ts', 'test/database/idempotency.test.ts'],
  },
  {
    name: 'pure',
    holds: () => true,
    tests: [
      'test/domain',
      'test/callbacks/sslcommerz-*.test.ts',
      'test/ledger/posting-rules.test.ts',
      'test/webhooks/endpoint-gate.test.ts',
      'test/webhooks/outbound-url.test.ts',
      'test/webhooks/schedule.test.ts',
      'test/webhooks/send.test.ts',
      'test/webhooks/signature.test.ts',
      'test/activities/*-rules.test.ts',
    ],
  },
];

/** Returns one pass of Stryker for each kind of file. */
export function passes(files: readonly string[]): Pass[] {
  return KINDS.map((kind) => ({
    name: kind.name,
    files: files.filter((file) => KINDS.find(({ holds }) => holds(file)) === kind),
    tests: kind.tests,
  })).filter((pass) => pass.files.length > 0);
}
