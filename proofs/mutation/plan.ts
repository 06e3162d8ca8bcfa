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
  const rest = globSync(['{domain,activities}/**/*.ts', ...WORKFLOW_STEPS], { cwd: root })
    .filter((file) => !MONEY_AND_GUARDS.includes(file) && !HAS_NO_LOGIC.has(file))
    .toSorted();
  return [
    { name: 'money, states, ledger, idempotency, signatures, SSRF guard', scoreMin: 90, files: MONEY_AND_GUARDS },
    { name: 'the rest of domain/ and the steps of workflows', scoreMin: 80, files: rest },
  ];
}

/** The use cases that activities call and that tests without Temporal cover. A workflow in a test takes seconds, which is too long for each mutant. */
const WORKFLOW_STEPS = [
  'core/payments/{finalize-payment,mark-for-review,open-checkout,payment-event,sweep,verify-attempt,verify-payment}.ts',
  'core/refunds/sweep.ts',
  'core/unapplied-payments/{read-unapplied,record-charges,sweep}.ts',
  'core/invoices/sweep.ts',
  'core/{decisions,gateway-callbacks}/sweep.ts',
  'core/ledger/seal-batches.ts',
  'core/sweep/*.ts',
  'core/webhooks/{deliver,endpoint-gate,retry-after,send,sweep}.ts',
];

/** One object that names the activity. */
const HAS_NO_LOGIC: ReadonlySet<string> = new Set(['activities/sweep.ts']);

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
    tests: ['test/runtime/http-client/connector.test.ts'],
  },
  {
    name: 'sweeping',
    holds: (file) => file.startsWith('core/sweep/') || file.endsWith('/sweep.ts'),
    tests: ['test/core/sweep/engine.test.ts', 'test/core/*/sweep.test.ts'],
  },
  {
    name: 'storing',
    holds: (file) => /^(activities|core|database)\//.test(file) && !PURE_ACTIVITIES.has(file),
    tests: [
      'test/core/**/*-activities.test.ts',
      'test/core/payments/{finalize-payment,mark-for-review,open-checkout,verify-payment}.test.ts',
      'test/core/idempotency/idempotency.test.ts',
    ],
  },
  {
    name: 'pure',
    holds: () => true,
    tests: [
      'test/domain',
      'test/api/gateway-callbacks/sslcommerz-*.test.ts',
      'test/core/ledger/posting-rules.test.ts',
      'test/core/webhooks/endpoint-gate.test.ts',
      'test/domain/outbound-url.test.ts',
      'test/domain/webhook-schedule.test.ts',
      'test/core/webhooks/send.test.ts',
      'test/core/contracts/signature.test.ts',
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
