import { describe, expect, test } from '@jest/globals';
import {
  allPages,
  judgePage,
  pageRequests,
  problemsOfPages,
  type PageAnswer,
  type PageFindings,
  type PageRequest,
} from '../../proofs/fuzz/pages.ts';

const ASKED: PageRequest = {
  method: 'GET',
  target: '/checkout/x',
  headers: {},
  body: null,
  page: '/checkout/{reference}',
};
const POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'";

function answer(change: Partial<PageAnswer> = {}): PageAnswer {
  return {
    status: 404,
    text: '<!doctype html><html lang="en"></html>',
    ...change,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY, ...change.headers },
  };
}

function findings(change: Partial<PageFindings> = {}): PageFindings {
  const pages = allPages();
  const every = { 200: 1, 303: 1, 400: 1, 404: 1, 405: 1, 415: 1 };
  const statuses = Object.fromEntries(pages.map((page) => [page, every]));
  return { seed: 1, requests: 100, statuses, violations: [], ...change };
}

test('the same seed makes the same requests, another seed others', () => {
  // A failure that cannot be reproduced cannot be fixed.
  const subjects = { payments: ['pay_1'], invoices: ['sp_inv_1'] };
  const made = (seed: number) => [...pageRequests(subjects, { seed, count: 200 })];
  expect(made(7)).toEqual(made(7));
  expect(made(7)).not.toEqual(made(8));
});

test('each page is asked for by turns, and what exists about every second time', () => {
  // References of nothing that exists test only the lookup.
  const requests = [...pageRequests({ payments: ['pay_1'], invoices: ['inv_1'] }, { seed: 1, count: 2_000 })];
  expect(new Set(requests.map(({ page }) => page))).toEqual(new Set(allPages()));
  const known = requests.filter(({ target }) => /\/(pay_1|inv_1)(\/|\?|$)/.test(target)).length;
  expect(known).toBeGreaterThan(600);
});

test('a page that was refused in our own words is no violation', () => {
  // The other tests mean something only if a correct answer passes.
  expect(judgePage(ASKED, answer())).toEqual([]);
});

describe('an answer is a violation when it', () => {
  const cases: readonly (readonly [string, Partial<PageAnswer>, RegExp])[] = [
    ['is a failure of ours', { status: 500 }, /answered 500/],
    ['says that we cannot serve', { status: 503 }, /answered 503/],
    ['never came', { status: 0 }, /not answered/],
    ['has no policy', { headers: { 'content-security-policy': '' } }, /no Content-Security-Policy/],
    [
      'has a policy that lets it be framed',
      { headers: { 'content-security-policy': "default-src 'none'" } },
      /weak Content-Security-Policy/,
    ],
    ['shows a stack', { text: 'Error: x\n    at show (file:///srv/pages.ts:3:4)</html>' }, /internals/],
    ['shows a statement', { text: 'syntax error at or near "x" </html>' }, /internals/],
    ['repeats markup as it came', { text: '<p><fuzzmark onload=alert(1)></p></html>' }, /markup/],
    ['breaks off', { text: '<!doctype html><p>' }, /without an end/],
    ['leads to another site', { headers: { location: 'https://elsewhere.example/' } }, /elsewhere/],
  ];

  test.each(cases)('%s', (_name, change, problem) => {
    // A judge that never reports a violation would make the run worthless.
    expect(judgePage(ASKED, answer(change)).join('\n')).toMatch(problem);
  });
});

describe('a run is no proof when', () => {
  const [page = '', ...others] = allPages();
  const without = Object.fromEntries(others.map((other) => [other, { 200: 1, 303: 1, 404: 1, 405: 1, 415: 1 }]));
  const cases: readonly (readonly [string, Partial<PageFindings>, RegExp])[] = [
    ['an answer was a violation', { violations: ['GET / answered 500'] }, /answered 500/],
    ['it ended early', { requests: 99 }, /99 requests of 100/],
    ['a page was left out', { statuses: without }, new RegExp(`${page.replace(/[{}]/g, '.')} was never asked for`)],
    ['nothing was answered in one of the usual ways', { statuses: without }, /nothing was answered 400/],
  ];

  test.each(cases)('%s', (_name, change, problem) => {
    // A run without requests or answers must not pass.
    expect(problemsOfPages(findings(change), 100).join('\n')).toMatch(problem);
  });

  test('and is one otherwise', () => {
    // Everything requested was sent, and no answer was wrong.
    expect(problemsOfPages(findings(), 100)).toEqual([]);
  });
});
