/** Changes of the code that make no difference to anybody, so that no test can notice them. */
export interface EquivalentMutants {
  readonly file: string;
  /** Pieces of the lines in which the changes begin. */
  readonly lines: readonly string[];
  readonly changes: readonly (readonly [original: string, replacement: string])[];
  readonly why: string;
}

const STRING = '"Stryker was here!"';

/** Two conditions of which one implies the other; the pair is checked twice on purpose. */
function redundant(left: string, right: string): EquivalentMutants['changes'] {
  return [
    [`${left} || ${right}`, 'false'],
    [`${left} || ${right}`, `${left} && ${right}`],
    [left, 'false'],
    [right, 'false'],
  ];
}

/** Survivors that were read, and why each is left alive. They count as survivors all the same. */
export const EQUIVALENT: readonly EquivalentMutants[] = [
  {
    file: 'core/webhooks/retry-after.ts',
    lines: ['if (text === undefined'],
    changes: [['text === undefined', 'false']],
    why: 'An absent header is neither digits nor a date, so it ends at 0 as well.',
  },
  {
    file: 'core/webhooks/retry-after.ts',
    lines: ["text.endsWith('GMT')"],
    changes: [["text.endsWith('GMT')", "text.startsWith('GMT')"]],
    why: 'Date.parse reads "GMT GMT" as GMT.',
  },
  {
    file: 'domain/money.ts',
    lines: ['-amountMinor : amountMinor'],
    changes: [['amountMinor < 0n', 'amountMinor <= 0n']],
    why: 'Zero has no sign as a bigint.',
  },
  {
    file: 'domain/references.ts',
    lines: ['length * 2'],
    changes: [['length * 2', 'length / 2']],
    why: 'Fewer random bytes at a time only make more rounds of the loop.',
  },
  {
    file: 'domain/return-url.ts',
    lines: ["url.username !== ''", "url.password !== ''"],
    changes: redundant("url.username !== ''", "url.password !== ''"),
    why: 'Whatever the URL parser takes for a name or password has an @ before the path, which the next condition finds.',
  },
  {
    file: 'domain/outbound-url.ts',
    lines: ["url.username !== ''"],
    changes: redundant("url.username !== ''", "url.password !== ''"),
    why: 'Whatever the URL parser takes for a name or password has an @ before the path, which the pattern finds.',
  },
  {
    file: 'domain/outbound-url.ts',
    lines: ['const PORTS'],
    changes: [["'443'", '""']],
    why: 'The URL parser answers an empty port for 443, which is let through before.',
  },
  {
    file: 'domain/outbound-url.ts',
    lines: ['.exec(entry) ?? []'],
    changes: [['[]', '["Stryker was here"]']],
    why: 'The first member of the fallback is not read.',
  },
  {
    file: 'domain/outbound-url.ts',
    lines: ['host === undefined || port === undefined'],
    changes: redundant('host === undefined', 'port === undefined'),
    why: 'The pattern gives both or neither; the second check is for the type checker.',
  },
  {
    file: 'domain/outbound-url.ts',
    lines: ['expected === null || expected.length !== bytes.length', 'return false;'],
    changes: [
      ...redundant('expected === null', 'expected.length !== bytes.length'),
      ['{ return false; }', '{}'],
      ['false', 'true'],
    ],
    why: 'The tables hold addresses that can be read, each asked about addresses of its own family: the line is for the type checker.',
  },
  {
    file: 'gateways/sslcommerz/signature.ts',
    lines: ["fields.get('verify_key') ?? ''", "fields.get('status') ?? ''", "pairs.get(name) ?? ''"],
    changes: [["''", STRING]],
    why: 'No field has that name either: an absent list or status is refused just so, and every listed pair is there.',
  },
  {
    file: 'gateways/sslcommerz/signature.ts',
    lines: ["'utf8'"],
    changes: [["'utf8'", '""']],
    why: "Node's hashes read text as UTF-8 unless they are told otherwise.",
  },
  {
    file: 'gateways/sslcommerz/signature.ts',
    lines: ['a < b'],
    changes: [['a < b', 'a <= b']],
    why: 'Keys of a map are never equal.',
  },
  {
    file: 'core/idempotency/store.ts',
    lines: ['row.response_status !== null'],
    changes: [
      ['row.response_status !== null', 'true'],
      ['row.response_body !== null', 'true'],
      [
        'row.response_status !== null && row.response_body !== null',
        'row.response_status !== null || row.response_body !== null',
      ],
    ],
    why: 'A constraint of the table keeps status and body together.',
  },
  {
    file: 'runtime/http-client/connector.ts',
    lines: ['ca === undefined'],
    changes: [['ca === undefined', 'false']],
    why: 'Node takes certificates that are undefined for none.',
  },
  {
    file: 'runtime/http-client/resolve.ts',
    lines: ["answer.status === 'fulfilled'", 'four ?? []', 'six ?? []'],
    changes: [
      ["answer.status === 'fulfilled'", 'true'],
      ['[]', '["Stryker was here"]'],
    ],
    why: 'A rejected answer has no value, and either line makes an empty list of that.',
  },
  {
    file: 'runtime/http-client/resolve.ts',
    lines: ['new Resolver('],
    changes: [['{ timeout: 2_000, tries: 2 }', '{}']],
    why: 'The connector ends every look-up at its own limit; these only end the question to a silent server sooner.',
  },
  {
    file: 'core/unapplied-payments/record-charges.ts',
    lines: ['id > newest'],
    changes: [['id > newest', 'id >= newest']],
    why: 'Ids are never equal.',
  },
  {
    file: 'core/webhooks/send.ts',
    lines: ["'utf8'"],
    changes: [["'utf8'", '""']],
    why: 'Node writes text as UTF-8 unless it is told otherwise.',
  },
  {
    file: 'core/webhooks/send.ts',
    lines: ['previousSecretExpiresAt !== null'],
    changes: [['previousSecretExpiresAt !== null', 'true']],
    why: 'No date is later than now as well: null counts as 1970.',
  },
  {
    file: 'core/webhooks/send.ts',
    lines: ['text.slice(0, REPLY_EXCERPT_BYTES_MAX)'],
    changes: [['text.slice(0, REPLY_EXCERPT_BYTES_MAX)', 'text']],
    why: 'So many bytes make no more characters than that.',
  },
  {
    file: 'core/payments/open-checkout.ts',
    lines: ['payment.reviewReason !== undefined'],
    changes: [['payment.reviewReason !== undefined', 'true']],
    why: 'A row of the database has every column: the second check is for the type checker.',
  },
  {
    file: 'core/payments/sweep.ts',
    lines: ['references.length > 0', 'references.length === 0'],
    changes: [
      ['references.length > 0', 'true'],
      ['references.length > 0', 'references.length >= 0'],
      ['references.length === 0', 'false'],
      ['{ return 0; }', '{}'],
    ],
    why: 'It only saves a statement that finds no rows.',
  },
  {
    file: 'core/webhooks/deliver.ts',
    lines: ["circuit === 'half-open' &&"],
    changes: [["circuit === 'half-open'", 'true']],
    why: 'Claiming a probe asks the row the same question: it only saves the statement.',
  },
  {
    file: 'core/webhooks/deliver.ts',
    lines: ['endpoint.circuitOpenUntil?.getTime()'],
    changes: [['endpoint.circuitOpenUntil?.getTime', 'endpoint.circuitOpenUntil.getTime']],
    why: 'A circuit that is open has a time until which it is.',
  },
  {
    file: 'core/webhooks/deliver.ts',
    lines: ['outcome.parked || retryInMs === null'],
    changes: [['retryInMs === null', 'false']],
    why: 'Without a next attempt the record says parked as well; the second check is for the type checker.',
  },
];
