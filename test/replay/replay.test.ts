import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';

const logger = new DefaultLogger('ERROR');
Runtime.install({ logger });

const ROOT = resolve(import.meta.dirname, '../..');
const HISTORIES = join(import.meta.dirname, 'histories');

/** Every recorded branch, with the maximum number of its events. */
const EVENTS_MAX: Readonly<Record<string, number>> = {
  'payment-succeeds': 17,
  'payment-fails': 25,
  'payment-cancelled-at-gateway': 25,
  'payment-cancelled-by-payer': 25,
  'payment-expires': 25,
  'payment-silent-then-found-paid': 25,
  'payment-refused': 15,
  'payment-opened-at-second-try': 30,
  'payment-gateway-chosen': 35,
  'payment-gateway-refused-then-cancelled': 35,
  'payment-in-review': 25,
  'unapplied-money-held': 15,
  'unapplied-money-nothing': 15,
  // Open until the refund has ended.
  'unapplied-money-refunded-by-decision': 37,
  'refund-succeeds': 27,
  'refund-refused': 15,
  'refund-approved': 34,
  'refund-rejected': 15,
  'refund-approval-expires': 28,
  'refund-in-review-then-rejected': 33,
  'invoice-paid': 15,
  'invoice-paid-by-installments': 60,
  'invoice-email-at-second-try': 43,
  'invoice-paused-and-rescheduled': 45,
  'invoice-voided': 20,
  'invoice-expired': 30,
  'invoice-reopened': 20,
  'webhook-delivered': 12,
  'webhook-retried': 24,
  'webhook-after-failed-first-attempt': 17,
  'sweeper-paused-and-woken': 35,
  'sealer-passes-twice': 20,
  'payout-import-succeeds': 21,
  'payout-import-refused': 11,
  'payout-import-cancelled': 20,
  'payout-import-row-missing': 11,
  'payout-import-resumed': 21,
  'reconciliation-completes': 19,
  'reconciliation-gateway-away': 20,
  'reconciliation-cancelled': 25,
  'reconciliation-resumed': 19,
  'reconciliation-continued-as-new': 115,
  'reconciliation-asked-again': 30,
  'reconciliation-scheduled': 14,
  'reconciliation-scheduled-while-running': 12,
};

const textOf = (name: string): string => readFileSync(join(HISTORIES, `${name}.json`), 'utf8');
const recorded = (name: string): History => historyFromJSON(JSON.parse(textOf(name)));
const tasksOf = (name: string): number =>
  (recorded(name).events ?? []).filter(({ workflowTaskCompletedEventAttributes: task }) => Boolean(task)).length;

let bundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  bundle = await bundleWorkflows({ workflowInterceptorModules: [], logger });
});

/** Returns the names of the histories that this code does not replay as recorded. */
async function refused(workflowBundle: WorkflowBundleWithSourceMap, names: readonly string[]): Promise<string[]> {
  const failed: string[] = [];
  for (const name of names) {
    await Worker.runReplayHistory({ workflowBundle }, recorded(name), name).catch(() => failed.push(name));
  }
  return failed;
}

describe('a recorded history', () => {
  test('exists for every branch, and every one is listed', () => {
    // A branch without a recording could break unnoticed.
    const names = readdirSync(HISTORIES)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
    expect(names.toSorted()).toEqual(Object.keys(EVENTS_MAX).toSorted());
  });

  test.each(Object.keys(EVENTS_MAX))('replays on today’s workflow code: %s', async (name) => {
    // Open workflows of the last release must continue after a deployment.
    expect(await refused(bundle, [name])).toEqual([]);
  });

  test.each(Object.entries(EVENTS_MAX))('of %s has at most %d events', (name, eventsMax) => {
    // The number of events determines what a payment costs in Temporal.
    expect(recorded(name).events?.length).toBeLessThanOrEqual(eventsMax);
  });

  test('of a payment that succeeds is within two workflow tasks and 20 kB', () => {
    // Each task costs the server as much as a small workflow.
    expect(tasksOf('payment-succeeds')).toBeLessThanOrEqual(2);
    expect(textOf('payment-succeeds').length).toBeLessThanOrEqual(20_000);
  });

  test.each(Object.keys(EVENTS_MAX))('holds no host, path or stack of the machine that recorded it: %s', (name) => {
    // The repository is public, and Temporal should store no such details either.
    const payloads = textOf(name).replaceAll(/"data":"([^"]*)"/g, (_match, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(payloads).not.toMatch(/node_modules|file:\/\/|\.[cm]?[jt]s:\d|\bat \S+ \(/);
    expect(payloads).not.toContain(ROOT);
  });
});

describe('the gate', () => {
  const directories: string[] = [];
  afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

  /** Bundles a copy of the workflows with one change, next to the real dependencies. */
  async function changed(
    change: (source: string) => string,
    file = 'payment.ts',
  ): Promise<WorkflowBundleWithSourceMap> {
    mkdirSync(join(ROOT, '.lenden'), { recursive: true });
    const directory = mkdtempSync(join(ROOT, '.lenden', 'replay-'));
    directories.push(directory);
    for (const folder of ['workflows', 'domain']) {
      cpSync(join(ROOT, folder), join(directory, folder), { recursive: true });
    }
    const path = join(directory, 'workflows', file);
    const source = readFileSync(path, 'utf8');
    const broken = change(source);
    expect(broken).not.toBe(source);
    writeFileSync(path, broken);
    return bundleWorkflows({
      workflowsPath: join(directory, 'workflows', 'index.ts'),
      workflowInterceptorModules: [],
      logger,
    });
  }

  test('passes an unchanged copy', async () => {
    // Otherwise the next two tests would prove nothing.
    const copy = await changed((source) => `${source}\n`);
    expect(await refused(copy, ['payment-succeeds', 'payment-expires'])).toEqual([]);
  });

  test('turns red when two steps are swapped', async () => {
    // Hostile case 58: the timer that starts before the query is started after it.
    const broken = await changed((source) =>
      source
        .replace(
          'this.expireAt(byWorkflowClock(opened));\n        if',
          'this.expiresAtMs = opened.expiresAtMs;\n        if',
        )
        .replace('const verdict = await this.query({ final: false });', '$&\n    this.expireAt(this.expiresAtMs);'),
    );
    expect(await refused(broken, ['payment-succeeds', 'payment-fails'])).toEqual(['payment-succeeds', 'payment-fails']);
  });

  test('turns red when another activity is called', async () => {
    // For a running workflow, a renamed activity is another command.
    const broken = await changed((source) => source.replaceAll('verifyPayment', 'verifyCharge'));
    expect(await refused(broken, ['payment-succeeds'])).toEqual(['payment-succeeds']);
  });

  test('turns red when a reconciliation leaves out a step', async () => {
    // A run lasts for minutes, so a deployment meets some in the middle.
    const broken = await changed((source) => source.replace('await fetchOrGoOn(reference);', ''), 'reconciliation.ts');
    const names = ['reconciliation-completes', 'reconciliation-continued-as-new', 'reconciliation-cancelled'];
    expect(await refused(broken, names)).toEqual(names);
  });

  test('turns red when a reconciliation that begins again does not read the gateway again', async () => {
    // What the gateway has paid out meanwhile would be missing in the answer.
    const broken = await changed(
      (source) => source.replace("progress.goesOn && progress.step === 'fetching'", 'progress === null'),
      'reconciliation.ts',
    );
    expect(await refused(broken, ['reconciliation-asked-again'])).toEqual(['reconciliation-asked-again']);
  });
});
