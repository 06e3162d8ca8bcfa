import { describe, expect, test } from '@jest/globals';
import { readContract } from './rules/contract.ts';
import { RULES } from './rules/rules.ts';
import { warehouse, WAREHOUSE, type Defect } from './rules/warehouse.ts';

const contract = readContract(WAREHOUSE);

const CAUGHT_BY: Readonly<Record<Defect, string>> = {
  'shows strangers everything': 'NameSpace',
  'finds a child anywhere': 'ResourceHierarchy',
  'keeps what it refused': 'Leakage',
  'serves what was deleted': 'UseAfterFree',
  'reads the digits of any id': 'InvalidDynamicObject',
  'fails on an odd id': 'InvalidDynamicObject',
  'listens to queries': 'InvalidDynamicObject',
  'takes any type': 'PayloadBody',
  'fails on a wrong body': 'PayloadBody',
};
const DEFECTS = Object.keys(CAUGHT_BY).filter((name): name is Defect => name in CAUGHT_BY);

async function violationsOf(ruleName: string, defect?: Defect) {
  const target = warehouse(defect);
  const rule = RULES.find(({ name }) => name === ruleName);
  const found = [];
  for (const operation of rule?.applicable(contract) ?? []) {
    found.push(await rule?.check({ contract, target }, operation));
  }
  return {
    cases: found.reduce((total, findings) => total + (findings?.cases ?? 0), 0),
    violations: found.flatMap((findings) => findings?.violations ?? []),
  };
}

describe.each(RULES.map(({ name }) => [name] as const))('%s', (name) => {
  test('finds nothing wrong with a server that is right', async () => {
    // A rule that always fails proves nothing.
    const { cases, violations } = await violationsOf(name);
    expect(violations).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  });
});

test.each(DEFECTS.map((defect) => [defect, CAUGHT_BY[defect]] as const))(
  'a server that %s is caught by %s',
  async (defect, rule) => {
    // A rule that never fails proves nothing.
    expect((await violationsOf(rule, defect)).violations.length).toBeGreaterThan(0);
  },
);

test('every rule is shown to fail', () => {
  // A new rule needs a defect that it catches.
  expect(new Set(Object.values(CAUGHT_BY))).toEqual(new Set(RULES.map(({ name }) => name)));
});
