import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { testFile, type Check, type Outcome } from '../../proofs/defects/check.ts';
import type { Defect, Edit } from '../../proofs/defects/defect.ts';
import { trials, type Try } from '../../proofs/defects/trial.ts';
import { workingCopy } from '../../proofs/defects/working-copy.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const SOUND = 'export const limit = 3;\nexport const other = 1;\n';
const LIMIT: Edit = { in: 'rule.ts', find: 'const limit = 3', replace: 'const limit = 4;' };
const OTHER: Edit = { in: 'rule.ts', find: 'const other = 1', replace: 'const other = 2;' };

let directory: string;
let tryOne: Try;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-trial-'));
  writeFileSync(join(directory, 'rule.ts'), SOUND);
  tryOne = trials(workingCopy(directory), new AbortController().signal);
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function defect(...edits: Edit[]): Defect {
  return { name: 'planted', breaks: 'a rule', edits, caughtBy: [] };
}

/** Reports the rules that differ from the sound tree, and counts how often it ran. */
function inspection(): Check & { runs: number } {
  return {
    command: 'inspect',
    quick: true,
    runs: 0,
    run(tree): Promise<Outcome> {
      this.runs += 1;
      const text = readFileSync(join(tree, 'rule.ts'), 'utf8');
      const failed = [
        ...(text.includes('limit = 3') ? [] : ['the limit holds']),
        ...(text.includes('other = 1') ? [] : ['the other rule holds']),
      ];
      return Promise.resolve({ passed: failed.length === 0, failed, lastWords: `read ${text.length} characters` });
    },
  };
}

describe('a planted defect', () => {
  test('is caught when the named check fails for the named reason, and the tree is whole again', async () => {
    // Changes left behind by one trial would be blamed on the next one.
    const verdict = await tryOne(defect(LIMIT), { check: inspection(), names: 'the limit holds' });
    expect(verdict).toEqual({ caught: true, remark: '', lastWords: '' });
    expect(readFileSync(join(directory, 'rule.ts'), 'utf8')).toBe(SOUND);
  });

  test('is not caught by a check that passes', async () => {
    // A defect counts as caught only if its check fails.
    const harmless = { ...LIMIT, replace: 'const limit = 3; ' };
    const verdict = await tryOne(defect(harmless), { check: inspection(), names: 'the limit holds' });
    expect(verdict).toMatchObject({ caught: false, remark: 'the check passed' });
    expect(verdict.lastWords).toContain('read');
  });

  test('is not caught by a check that fails for another reason', async () => {
    // An edit that breaks something else proves nothing about its defect.
    const verdict = await tryOne(defect(OTHER), { check: inspection(), names: 'the limit holds' });
    expect(verdict).toMatchObject({
      caught: false,
      remark: 'the check failed for another reason: the other rule holds',
    });
  });

  test('is not caught by a check that fails without it', async () => {
    // A check that fails without the defect detects nothing.
    writeFileSync(join(directory, 'rule.ts'), SOUND.replace('limit = 3', 'limit = 2'));
    const verdict = await tryOne(defect(OTHER), { check: inspection(), names: 'the limit holds' });
    expect(verdict).toMatchObject({
      caught: false,
      remark: 'the check does not pass without the defect: the limit holds',
    });
  });

  test.each([
    ['is gone', { ...LIMIT, find: 'const limit = 5' }, 0],
    ['is there twice', { ...LIMIT, find: 'const $NAME = $VALUE' }, 2],
  ])('is not caught when what its edit looks for %s', async (_name, edit, times) => {
    // Code changes over time. A defect that can no longer be planted must not count as caught.
    const verdict = await tryOne(defect(OTHER, edit), { check: inspection(), names: 'the other rule holds' });
    expect(verdict.caught).toBe(false);
    expect(verdict.remark).toContain(`is there ${times} times`);
    expect(readFileSync(join(directory, 'rule.ts'), 'utf8')).toBe(SOUND);
  });

  test('takes several edits of one file', async () => {
    // Most mistakes that compile need a change in more than one line.
    const verdict = await tryOne(defect(LIMIT, OTHER), { check: inspection(), names: 'the limit holds' });
    expect(verdict).toMatchObject({ caught: true, remark: 'also the other rule holds' });
  });

  test('is put to a check once more that could not run', async () => {
    // Servers need free ports. A port that was taken in the meantime says nothing about the code.
    const check = inspection();
    const { run } = check;
    check.run = (tree, stop) =>
      check.runs++ === 0 ? Promise.resolve({ passed: false, failed: [], lastWords: '' }) : run.call(check, tree, stop);
    expect(await tryOne(defect(LIMIT), { check, names: 'the limit holds' })).toMatchObject({ caught: true });
  });

  test('costs one run of its check, once the check has been seen to pass', async () => {
    // Otherwise the whole catalogue would take twice as long.
    const check = inspection();
    await tryOne(defect(LIMIT), { check, names: 'the limit holds' });
    await tryOne(defect(OTHER), { check, names: 'the other rule holds' });
    expect(check.runs).toBe(3);
  });
});

describe('a file of tests as a check', () => {
  const CHECK = testFile('test/rule.test.ts');

  beforeEach(() => {
    // Runs the real jest on a tree of two files, so that its own report format is read.
    mkdirSync(join(directory, 'test'));
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, 'jest.config.js'), readFileSync(join(ROOT, 'jest.config.js')));
    const tests = `import { describe, expect, test } from '@jest/globals';
      import { limit, other } from '../rule.ts';
      describe('rules', () => {
        test('the limit holds', () => expect(limit).toBe(3));
        test('the other holds', () => expect(other).toBe(1));
      });`;
    writeFileSync(join(directory, 'test', 'rule.test.ts'), tests);
  });

  test('names the test that failed, and no other', async () => {
    // The reported name must be the one in the catalogue.
    expect(await tryOne(defect(LIMIT), { check: CHECK, names: 'rules the limit holds' })).toMatchObject({
      caught: true,
      remark: '',
    });
  });

  test('names nothing when the code cannot even be loaded', async () => {
    // An edit that breaks the file fails every test, so it does not show that a test detects the defect.
    const broken = { ...LIMIT, replace: 'const limit = = 4;' };
    const verdict = await tryOne(defect(broken), { check: CHECK, names: 'rules the limit holds' });
    expect(verdict).toMatchObject({
      caught: false,
      remark: 'the check failed for another reason: it names nothing',
    });
  });
});
