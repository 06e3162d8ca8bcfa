import { request } from 'node:http';
import { CHECKOUT_ACTIONS, PAYABLE_ACTIONS } from '../../api/pages/paths.ts';
import type { ResultTable } from '../../scripts/repository/results/result-file.ts';
import { Random } from '../simulation/random.ts';

/** References of existing objects, so that hostile input also reaches the pages after the lookup. */
export interface PageSubjects {
  /** References of payments, in any contract and state. */
  readonly payments: readonly string[];
  /** References of invoices. */
  readonly invoices: readonly string[];
}

export interface PageRequest {
  readonly method: string;
  /** Path and query, as sent over the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The intended page, such as `/checkout/{reference}/cancel`. */
  readonly page: string;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface PageFindings {
  readonly seed: number;
  readonly requests: number;
  /** How many answers of each status each page gave. */
  readonly statuses: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** Violations, each with the request that caused it. */
  readonly violations: readonly string[];
}

/** No markup of Lenden has this name. Where it appears unescaped, input has become markup. */
const MARK = 'fuzzmark';
const MARKUP = `"'><${MARK} onload=alert(1)>`;
const ELSEWHERE = 'elsewhere.example';
const ACTIONS = { checkout: CHECKOUT_ACTIONS, payable: PAYABLE_ACTIONS };
const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Hostile values used in place of a reference. */
const HOSTILE_SEGMENTS: readonly string[] = [
  'a\\b',
  '..',
  '.',
  '%',
  '%zz',
  '%00',
  '%2e%2e%2f',
  '%ff%fe',
  '%E0%A4%A',
  "'or'1'='1",
  '{{7*7}}',
  '__proto__',
  'constructor',
  'undefined',
  '-1',
  '0',
  '9'.repeat(40),
  'a'.repeat(2_500),
  '%61'.repeat(800),
  `pay_${'0'.repeat(22)}`,
  `pay_${'A'.repeat(2_500)}`,
  'txn_0000000000000000',
  'PAY_99999999_ZZZZZZ',
  'PAY_\\',
  `PAY_${'9'.repeat(2_500)}`,
  'sp_inv_\\',
  `sp_inv_${'a'.repeat(2_500)}`,
  '//elsewhere.example',
  '\\\\elsewhere.example',
  '@elsewhere.example',
  encodeURIComponent(MARKUP),
  `${MARK}"'<>`,
  '%E0%A6%95',
];

const HOSTILE_VALUES: readonly string[] = [
  '',
  '0',
  '-1',
  '1e309',
  '9'.repeat(400),
  'null',
  '[]',
  '../../etc/passwd',
  `https://${ELSEWHERE}/`,
  `//${ELSEWHERE}/`,
  'javascript:alert(1)',
  MARKUP,
  '\u0000',
  '\ud800',
  '\u202eevil',
  'a\r\nSet-Cookie: a=b',
  "'; drop table payments; --",
  '১০০',
  'x'.repeat(3_000),
];
const QUERY_NAMES = ['lang', 'problem', 'choose', 'gateway', 'amount', '__proto__', 'x'];
const FORM_NAMES = ['gateway', 'transaction', 'sender', 'choice', 'expected', 'amount', '__proto__', 'x'];
const FORM_VALUES = [
  'sslcommerz',
  'bkash',
  'manual',
  'nagad',
  'stripe',
  'asked',
  'rest',
  'amount',
  '100.00',
  'TX12345',
];

/** Generates the same requests for the same seed, on any machine. */
export function* pageRequests(subjects: PageSubjects, { seed, count }: { seed: number; count: number }) {
  const random = new Random(seed);
  const pages = allPages();
  for (let number = 0; number < count; number += 1) {
    // Takes the pages in turn, so that a short run omits none.
    const page = pages[number % pages.length] ?? '/';
    yield requestOf({ page, random, subjects });
  }
}

/** Returns every page that payers can reach, and some paths that do not exist. */
export function allPages(): string[] {
  const below = (prefix: string, actions: readonly string[]): string[] =>
    ['', ...actions.map((action) => `/${action}`)].map((action) => `/${prefix}/{reference}${action}`);
  return [
    ...below('checkout', ACTIONS.checkout),
    ...below('pay', [...ACTIONS.checkout, ...ACTIONS.payable]),
    ...below('i', ACTIONS.payable),
    '/assets/{reference}',
    '/{reference}',
    '/',
  ];
}

interface Making {
  readonly page: string;
  readonly random: Random;
  readonly subjects: PageSubjects;
}

function requestOf({ page, random, subjects }: Making): PageRequest {
  const known = page.startsWith('/checkout/') ? subjects.payments : [...subjects.invoices, ...subjects.payments];
  const reference =
    random.chance(0.5) && known.length > 0 ? random.pick(known) : mutated(random, random.pick(HOSTILE_SEGMENTS));
  const path = page.replace('{reference}', () => reference);
  const method = random.pick(METHODS);
  const body = method === 'GET' || method === 'HEAD' || random.chance(0.2) ? null : bodyOf(random);
  return { page, method, target: sendable(`${path}${queryOf(random)}`), headers: headersOf(random, body), body };
}

/** Sometimes adds, removes or changes a character. */
function mutated(random: Random, text: string): string {
  const at = random.between(0, text.length);
  switch (random.weighted({ as: 6, cut: 1, longer: 1, other: 1 })) {
    case 'cut':
      return text.slice(0, at);
    case 'longer':
      return `${text.slice(0, at)}${random.pick(['\\', '%', "'", '<', ';', '~'])}${text.slice(at)}`;
    case 'other':
      return `${text.slice(0, at)}${random.text(3)}${text.slice(at + 3)}`;
    default:
      return text;
  }
}

function queryOf(random: Random): string {
  if (random.chance(0.5)) {
    return '';
  }
  const parts = Array.from({ length: random.between(1, 3) }, () => {
    const value = random.pick(HOSTILE_VALUES);
    return `${random.pick(QUERY_NAMES)}=${random.chance(0.7) ? encoded(value) : value}`;
  });
  return `?${parts.join('&')}`;
}

/** A lone surrogate has no UTF-8 encoding, so this uses the bytes that it would have. */
function encoded(value: string): string {
  return value.isWellFormed() ? encodeURIComponent(value) : '%ED%A0%80';
}

/** Encodes other bytes, because Node's own parser would reject them before they reach Lenden. */
function sendable(target: string): string {
  return target.replace(/[^\u0021-\u007e]+/gu, (text) => encoded(text));
}

function bodyOf(random: Random): string {
  switch (random.weighted({ form: 6, json: 1, garbage: 1, large: 1 })) {
    case 'json':
      return JSON.stringify({ [random.pick(FORM_NAMES)]: random.pick(HOSTILE_VALUES) });
    case 'garbage':
      return random.pick(['%', '&&&&', '=', '\u0000\u0001', '%ff%fe', '<?xml version="1.0"?>']);
    case 'large':
      return `transaction=${'x'.repeat(random.between(900, 200_000))}`;
    default:
      return Array.from({ length: random.between(0, 4) }, () => {
        const value = random.pick(random.chance(0.5) ? HOSTILE_VALUES : FORM_VALUES);
        return `${random.pick(FORM_NAMES)}=${encoded(value)}`;
      }).join('&');
  }
}

const COOKIES = [
  'lenden_gateway=bkash',
  'lenden_gateway=%',
  'lenden_language=bn',
  'lenden_language=%',
  `lenden_gateway=${'a'.repeat(3_000)}`,
  '=;=;',
  '__proto__=1',
];
const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  'accept-language': ['bn', 'bn;q=9', ',,;;==', 'x'.repeat(3_000), 'en;q=0.1,bn'],
  accept: ['text/html', 'application/json', '*/*;q=', '\u00ff'],
  cookie: COOKIES,
  host: [ELSEWHERE, 'a b', ''],
  'user-agent': ['', MARKUP, 'facebookexternalhit/1.1'],
  'sec-fetch-mode': ['navigate', 'cors', '\u00e0'],
  'sec-purpose': ['prefetch', 'prerender'],
  origin: ['null', `https://${ELSEWHERE}`],
  'x-forwarded-host': [ELSEWHERE],
  'x-forwarded-proto': ['javascript'],
  range: ['bytes=0-', 'bytes=9999999999-'],
  'if-none-match': ['*'],
};

function headersOf(random: Random, body: string | null): Record<string, string> {
  const names = Object.keys(HEADER_VALUES).filter(() => random.chance(0.15));
  const hostile = names.map((name): [string, string] => [name, random.pick(HEADER_VALUES[name] ?? [''])]);
  const types = [
    FORM_TYPE,
    FORM_TYPE,
    FORM_TYPE,
    `${FORM_TYPE}; charset=utf-16`,
    'application/json',
    'multipart/form-data',
    '',
  ];
  return {
    ...Object.fromEntries(hostile),
    ...(body === null ? {} : { 'content-type': random.pick(types) }),
    // Behind a trusted proxy, each request has its own address: limits by address are not under test.
    'x-forwarded-for': `10.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(1, 254)}`,
  };
}

/** Traces of the server's internals, which no page may show. */
const INTERNALS =
  /\n\s+at .+[:(]|node_modules|node:internal|\.ts:\d+|SQLSTATE|syntax error at or near|violates .+ constraint/;
const SECURE_PAGE = ["default-src 'none'", "frame-ancestors 'none'"];

/** Returns what is wrong with an answer to a hostile request; usually nothing. */
export function judgePage({ method, target }: PageRequest, { status, headers, text }: PageAnswer): string[] {
  if (status === 0) {
    return [`${method} ${shortened(target)} was not answered`];
  }
  const problems: string[] = [];
  const type = headers['content-type'] ?? '';
  const policy = headers['content-security-policy'] ?? '';
  if (status >= 500) {
    problems.push(`answered ${status}`);
  }
  if (policy === '') {
    problems.push('has no Content-Security-Policy');
  } else if (type.startsWith('text/html') && !SECURE_PAGE.every((directive) => policy.includes(directive))) {
    problems.push(`has a weak Content-Security-Policy: ${policy}`);
  }
  if (INTERNALS.test(text)) {
    problems.push('tells of our internals');
  }
  if (text.includes(`<${MARK}`)) {
    problems.push('lets a text of the request become markup');
  }
  if (type.startsWith('text/html') && method !== 'HEAD' && !text.trimEnd().endsWith('</html>')) {
    problems.push('is a page without an end');
  }
  if ((headers['location'] ?? '').includes(ELSEWHERE) || Object.values(headers).some((value) => /[\r\n]/.test(value))) {
    problems.push('leads elsewhere, or breaks its headers');
  }
  return problems.map((problem) => `${method} ${shortened(target)} ${problem}`);
}

function shortened(target: string): string {
  return target.length <= 200 ? target : `${target.slice(0, 200)}… (${target.length} characters)`;
}

interface PageFuzz {
  /** Origin of the pages. */
  readonly web: string;
  readonly subjects: PageSubjects;
  readonly seed: number;
  readonly count: number;
  readonly signal?: AbortSignal;
}

const AT_ONCE = 8;
const NO_ANSWER: PageAnswer = { status: 0, headers: {}, text: '' };

/** Sends a seed's requests and judges every answer. Throws only if the pages cannot be reached. */
export async function fuzzPages({ web, subjects, seed, count, signal }: PageFuzz): Promise<PageFindings> {
  const statuses: Record<string, Record<number, number>> = {};
  const violations: string[] = [];
  let requests = 0;
  const waiting = pageRequests(subjects, { seed, count });
  const sendAll = async (): Promise<void> => {
    for (const asked of waiting) {
      if (signal?.aborted === true) {
        return;
      }
      const answer = await send(web, asked).catch(() => NO_ANSWER);
      requests += 1;
      const ofPage = (statuses[asked.page] ??= {});
      ofPage[answer.status] = (ofPage[answer.status] ?? 0) + 1;
      violations.push(...judgePage(asked, answer));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendAll));
  return { seed, requests, statuses, violations };
}

/** Returns what the run found, or why it proves nothing; empty if it is a proof. */
export function problemsOfPages({ requests, statuses, violations }: PageFindings, count: number): string[] {
  const seen = new Set(Object.values(statuses).flatMap((ofPage) => Object.keys(ofPage).map(Number)));
  return [
    ...violations,
    ...(requests === count ? [] : [`${requests} requests of ${count} were sent`]),
    ...allPages()
      .filter((page) => statuses[page] === undefined)
      .map((page) => `${page} was never asked for`),
    // If all pages refuse or accept everything, the run has not really tested them.
    ...[200, 303, 400, 404, 405, 415]
      .filter((status) => !seen.has(status))
      .map((status) => `nothing was answered ${status}`),
  ];
}

export function tableOfPages({ statuses }: Pick<PageFindings, 'statuses'>): ResultTable {
  return {
    caption: 'Answers by page',
    columns: ['page', 'answers'],
    rows: Object.entries(statuses).map(([page, ofPage]) => [
      page,
      Object.entries(ofPage)
        .map(([status, count]) => `${status} × ${count}`)
        .join(', '),
    ]),
  };
}

function send(web: string, { method, target, headers, body }: PageRequest): Promise<PageAnswer> {
  const { hostname, port } = new URL(web);
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request(
      { hostname, port, method, path: target, headers: { ...headers, ...length }, timeout: 30_000 },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(incoming.headers).map(([name, value]) => [name, [value ?? []].flat().join(', ')]),
            ),
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${shortened(target)} was not answered`)));
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}
