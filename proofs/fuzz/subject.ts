import type { CredentialPair } from '../../core/applications/store/applications.ts';

/** One part of an OpenAPI document, with credentials of two callers who must not see each other's objects. */
export interface Subject {
  readonly name: 'applications' | 'operators' | 'ownpay' | 'shadhinpay';
  /** Path of the OpenAPI document on a running stack. */
  readonly document: '/openapi.json' | '/openapi/ownpay.json' | '/openapi/shadhinpay.json';
  /** Headers of the caller whose requests are fuzzed, then those of their neighbour. */
  readonly peers: readonly [Headers, Headers];
  /** Returns whether the subject's callers call this path. */
  calls(path: string): boolean;
  /** Arguments of schemathesis that select these paths. */
  readonly selection: readonly string[];
  /** Further sessions of the first caller. Requests take turns, so that no session reaches its limit. */
  readonly sessions: readonly string[];
  /** References of paid payments, for refunds. */
  readonly paid: readonly string[];
  /** References that exist, by the path that takes one or the beginning of several; the longest counts. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Operations that are not called, by id, with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Operations that need not answer 2xx, with the reason: no schema can describe the input that they need. */
  readonly beyondSchema: Readonly<Record<string, string>>;
  /** Minimum number of cases for an operation whose parameters have only few values; null: as many as requested. */
  readonly fewCases: number | null;
  /** Operations that get fewer cases than requested, with the reason. */
  readonly seldom: Readonly<Record<string, string>>;
  /** Checks that do not run or have nothing to judge, with the reason. */
  readonly silentChecks: Readonly<Record<string, string>>;
}

export type Headers = Readonly<Record<string, string>>;

/** Paths that only operators call. */
const OF_OPERATORS = /^\/(admin|auth)\//;

export function applications(peers: readonly [CredentialPair, CredentialPair]): Subject {
  const [fuzzed, neighbour] = peers.map(({ apiKey, apiSecret }) => ({
    'X-Api-Key': apiKey,
    'X-Api-Secret': apiSecret,
  }));
  return {
    name: 'applications',
    document: '/openapi.json',
    peers: [fuzzed ?? {}, neighbour ?? {}],
    calls: (path) => !OF_OPERATORS.test(path),
    selection: ['--exclude-path-regex', OF_OPERATORS.source],
    sessions: [],
    paid: [],
    known: {},
    leftOut: {},
    beyondSchema: { 'POST /test-clock': 'wants the id of an object in its body' },
    silentChecks: {
      use_after_free:
        'drafts of invoices alone can be deleted, and a short run seldom asks for one again; test/api/rules-hold.test.ts asks every operation',
      ensure_resource_availability:
        'a short run follows two or three creations to what they made, and under some seeds none; test/api reads each kind of thing that it makes',
    },
    fewCases: null,
    seldom: { 'DELETE /invoices/{id}': 'the generator deletes each object that it knows once or twice' },
  };
}

/** Operations that the fuzzer cannot call: most end its own session, after which every answer would be 401 or 403. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  logOut: 'ends the session that the run calls with',
  endSession: 'ends the session that the run calls with',
  removeTotp: 'ends the sessions that the run takes turns with',
  reauthenticate: 'gives the session another token',
  endOperatorSessions: 'may end the session that the run calls with',
  followUpdates: 'keeps its answer open for up to a minute',
  putSettings: 'may demand a second factor of everybody',
};

const BEYOND_SCHEMA: Readonly<Record<string, string>> = {
  'POST /admin/webhooks/{id}/resend': 'needs an endpoint that takes events',
  'POST /admin/reconciliation/runs/{reference}/cancel': 'needs a run that is running',
  'POST /admin/payout-files/{reference}/cancel': 'needs a file that is being imported',
  'POST /admin/test-clock': 'wants the id of an object in its body',
  'POST /auth/login': 'wants a password',
  'POST /auth/password': 'wants the present password',
  'POST /auth/totp/confirm': 'wants the code of this half-minute',
  'POST /admin/payments/{id}/review': 'wants a payment under review',
  'POST /admin/refunds/{id}/review': 'wants a refund under review',
  'POST /admin/unapplied-payments/{id}': 'wants unapplied money',
  'POST /admin/manual-payments/{id}/decision': 'wants a transaction number that a payer has submitted',
  'DELETE /admin/gateways/{gateway}/{mode}': 'wants a store of the installation, which a gateway has accepted',
  'POST /admin/pending-changes/{id}/confirm': 'wants a change that another operator has proposed',
  'POST /admin/pending-changes/{id}/reject': 'wants a change that another operator has proposed',
  'POST /admin/pending-operator-changes/{id}/confirm': 'wants a change that another operator has proposed',
  'POST /admin/pending-operator-changes/{id}/reject': 'wants a change that another operator has proposed',
  'POST /admin/pending-operator-changes/{id}/withdraw': 'wants a change of an approver',
  'POST /admin/pending-reconciliation-changes/{id}/confirm': 'wants a change that another operator has proposed',
  'POST /admin/pending-reconciliation-changes/{id}/reject': 'wants a change that another operator has proposed',
  'POST /admin/pending-reconciliation-changes/{id}/withdraw':
    'wants a change of settings, which waits only once a threshold is set',
};

/** Checks that every request that fits its schema is accepted, which is not required here. */
const ACCEPTANCE = 'positive_data_acceptance';
const SILENT_CHECKS: Readonly<Record<string, string>> = {
  [ACCEPTANCE]: 'not made: cursors, passwords and ids in bodies are beyond a schema, and refused as documented',
  missing_required_header: 'no header is required beside the session',
  use_after_free: 'roles alone are deleted and read again by id, which a short run seldom does',
  ensure_resource_availability: 'few operations read what another has made, and a short run seldom follows them',
};

interface OperatorCallers extends Pick<Subject, 'known'> {
  readonly tokens: readonly string[];
  readonly neighbour: string;
}

export function operators({ tokens, neighbour, known }: OperatorCallers): Subject {
  const [token = ''] = tokens;
  return {
    name: 'operators',
    document: '/openapi.json',
    peers: [{ Authorization: `Bearer ${token}` }, { Authorization: `Bearer ${neighbour}` }],
    calls: (path) => OF_OPERATORS.test(path),
    selection: [
      '--include-path-regex',
      OF_OPERATORS.source,
      ...Object.keys(LEFT_OUT).flatMap((id) => ['--exclude-operation-id', id]),
      '--exclude-checks',
      ACCEPTANCE,
    ],
    sessions: tokens,
    paid: [],
    known,
    leftOut: LEFT_OUT,
    beyondSchema: BEYOND_SCHEMA,
    silentChecks: SILENT_CHECKS,
    // Parameters such as a gateway in a mode, or a role, have few values.
    fewCases: 5,
    seldom: { 'DELETE /admin/views/{id}': 'the generator deletes each object that it knows once or twice' },
  };
}

export interface ContractCallers {
  readonly contract: 'ownpay' | 'shadhinpay';
  readonly peers: readonly [Headers, Headers];
  readonly paid: readonly string[];
}

/** Returns a subject that covers the whole document of another contract. */
export function contract({ contract: name, peers, paid }: ContractCallers): Subject {
  return {
    name,
    document: `/openapi/${name}.json`,
    peers,
    calls: () => true,
    selection: [],
    sessions: [],
    paid,
    known: {},
    leftOut: {},
    beyondSchema: {},
    silentChecks: name === 'shadhinpay' ? AFTER_CREATION : {},
    fewCases: null,
    seldom: {},
  };
}

const AFTER_CREATION = {
  ensure_resource_availability:
    'its rule takes the three headers of the credentials for parameters that a link has to fill; test/api/shadhinpay/reading.test.ts reads what was just made',
};
