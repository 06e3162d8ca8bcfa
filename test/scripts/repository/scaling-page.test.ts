import { describe, expect, test } from '@jest/globals';
import type { ResultFile } from '../../../scripts/repository/results/result-file.ts';
import { scalingPage } from '../../../scripts/repository/results/scaling-page.ts';

function recorded(name: string, data: unknown): ResultFile {
  const machine = { cpu: 'a processor', cores: 2, memoryGiB: 8, system: 'Linux', node: 'v26' };
  const shown = {
    page: 'performance',
    order: 1,
    title: name,
    command: name,
    at: '2026-11-24',
    summary: [],
    tables: [],
  } as const;
  return { ...shown, name: `bench-${name}`, machine, data };
}

const cpuMs = { api: 5, worker: 30, temporal: 35, postgres: 8, 'Temporal’s Postgres': 22, simulators: 3 };
const step = (commits: number) => ({ working: 9, statements: 9 + 3 * commits, walBytes: 5_000 });
const results = (webhook?: object): ResultFile[] => [
  recorded('throughput', [{ store: 'PostgreSQL', rows: [{ inFlight: 16, paymentCpuMs: cpuMs }] }]),
  recorded('counts', {
    native: {
      steps: { create: step(5), pay: step(6) },
      workflows: { payment: { events: 21, workflowTasks: 3, regularActivities: 1 }, webhook },
    },
  }),
  recorded('memory', { small: { open: 0, temporalBytes: 0 }, large: { open: 10, temporalBytes: 240_000 } }),
  recorded('growth', { small: { payments: 0, databaseBytes: 0 }, large: { payments: 10, databaseBytes: 100_000 } }),
];

const SET = { shards: 128, retentionDays: 90 };

const rowOf = (page: string, name: string): string[] =>
  page
    .split('\n')
    .find((line) => line.startsWith(`| ${name} |`))
    ?.split('|')
    .slice(2, -1)
    .map((cell) => cell.trim()) ?? [];

describe('docs/scaling.md', () => {
  const page = scalingPage(results({ events: 11, workflowTasks: 2, regularActivities: 1 }), SET);

  test('computes cores, commits and shards from what was measured', () => {
    // An operator buys machines by these figures, and the number of shards can never be changed.
    expect(rowOf(page, 'CPU: all')[0]).toBe('100.0 ms');
    expect(rowOf(page, 'cores: worker')).toEqual(['0.6', '6', '60']);
    expect(rowOf(page, 'commits per second in our Postgres')).toEqual(['110', '1,100', '11,000']);
    expect(rowOf(page, 'state transitions per second in Temporal')).toEqual(['180', '1,800', '18,000']);
    expect(rowOf(page, 'history shards')).toEqual(['4', '64', '512']);
    expect(rowOf(page, 'Temporal’s store, which keeps 90 days')).toEqual(['1.9 TB', '18.7 TB', '186.6 TB']);
    expect(page).toContain('1.0 TB of rows and indexes');
  });

  test('says of each cost whether it was measured or computed', () => {
    // A computed figure is a plan, and must not be taken for a promise.
    const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.split('|').length === 5);
    const costs = rows.filter((line) => !/^\| (?: |---|CPU: all)/.test(line));
    expect(costs.length).toBeGreaterThan(8);
    expect(costs.filter((line) => !/\| (?:measured|computed)[^|]*\|$/.test(line))).toEqual([]);
  });

  test('counts no webhook workflow where a payment starts none', () => {
    // The first delivery may need no workflow.
    const without = scalingPage(results(), SET);
    expect(rowOf(without, 'state transitions in Temporal')[0]).toBe('11');
    expect(rowOf(without, 'history events')[0]).toBe('21');
  });
});
