import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { object, parameter, property, type Edit } from '../../proofs/defects/defect.ts';
import { EditDoesNotApply, planted } from '../../proofs/defects/working-copy.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-edits-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), text);
}

/** Plants the edits in a folder with one file, and returns the file's new text. */
function plantIn(text: string, ...edits: Edit[]): string | undefined {
  write('core/pay.ts', text);
  return planted(directory, edits).get('core/pay.ts');
}

/** Replaces whatever is thrown, so that its parts can be checked. */
function refusal(...edits: Edit[]): unknown {
  try {
    planted(directory, edits);
  } catch (error) {
    return error;
  }
  return null;
}

const QUERY: Edit = {
  in: 'core',
  find: "await $GATEWAY.query($HANDLE, { kind: 'final', $$$MORE })",
  replace: "await $GATEWAY.query($HANDLE, { kind: 'first', $$$MORE })",
};

describe('an edit of code', () => {
  test('applies, whatever locals are called', () => {
    // A rename does not change behaviour, so it must not break a defect.
    const before = "const asked = await gateway.query(handle, { kind: 'final', at });";
    expect(plantIn(before, QUERY)).toBe("const asked = await gateway.query(handle, { kind: 'first', at });");
    const renamed = "const answer = await this.bank.query(attempt.handle, { kind: 'final', at: now() });";
    expect(plantIn(renamed, QUERY)).toBe(
      "const answer = await this.bank.query(attempt.handle, { kind: 'first', at: now() });",
    );
  });

  test('applies, whatever the line breaks, quotes and trailing commas are', () => {
    // A formatter changes all three.
    const text = `const asked = await gateway.query(
      handle,
      {
        kind: "final",
        at: "it's",
      },
    ); // ’`;
    expect(plantIn(text, QUERY)).toBe(`const asked = await gateway.query(handle, { kind: 'first', at: "it's" }); // ’`);
    const double: Edit = { in: 'core', find: 'query("final")', replace: 'query("first")' };
    expect(plantIn(`const note = '৳ 5 – “’”'; query('final');`, double)).toBe(
      `const note = '৳ 5 – “’”'; query("first");`,
    );
  });

  test('applies to code that has moved to another file of the folder', () => {
    // Files are split and renamed more often than features.
    write('core/pay.ts', "await gateway.query(handle, { kind: 'final', at });");
    mkdirSync(join(directory, 'core/payments'));
    renameSync(join(directory, 'core/pay.ts'), join(directory, 'core/payments/verify.ts'));
    expect([...planted(directory, [QUERY]).keys()]).toEqual(['core/payments/verify.ts']);
  });

  test('takes names that its replacement needs from the code around it', () => {
    // Otherwise a rename would leave the replacement with a name that does not exist.
    const text = `function settle(row: Row, given: Input) { const sum = total(row); if (sum > 0) { post(row, sum); } const end = done(given.id); }`;
    const edit: Edit = {
      in: 'core',
      find: 'if ($SUM > 0) { $$$BODY }',
      inside: 'function settle($ROW: Row, $INPUT: Input) { $$$ALL }',
      has: 'post($$$POSTED)',
      follows: 'const $SUM = total($ROW)',
      precedes: 'const $END = done($ID)',
      replace: 'if ($SUM > $INPUT.limit) { $$$BODY } log($ID, $ROW);',
    };
    expect(plantIn(text, edit)).toBe(
      `function settle(row: Row, given: Input) { const sum = total(row); if (sum > given.limit) { post(row, sum); } log(given.id, row); const end = done(given.id); }`,
    );
  });

  test.each(['inside', 'has', 'follows', 'precedes'] as const)(
    'does not apply where the %s code is another',
    (where) => {
      // Each of them narrows the match down to one place.
      write('core/pay.ts', 'function settle() { first(); if (sum > 0) { post(); } last(); }');
      expect(
        refusal({ in: 'core', find: 'if ($SUM > 0) { $$$BODY }', [where]: 'unknown()', replace: '' }),
      ).toBeInstanceOf(EditDoesNotApply);
    },
  );

  test('finds properties, objects and parameters, which are no code of their own', () => {
    // Read alone, `a: 1` is a label and `{ a: 1 }` a block.
    const text = 'function pay({ id }: Order) { return { to: id, pays: { fee: 1n } }; }';
    expect(plantIn(text, { in: 'core', find: property('to: $ID'), replace: 'to: 0' })).toContain('{ to: 0, pays:');
    expect(plantIn(text, { in: 'core', find: object('fee: $FEE'), replace: '{}' })).toContain('pays: {} }');
    expect(plantIn(text, { in: 'core', find: parameter('{ $$$NAMES }: Order'), replace: 'order: Order' })).toContain(
      'pay(order: Order)',
    );
  });

  test('continues a list after a trailing comma', () => {
    // Two commas in a row would not parse.
    const edit: Edit = { in: 'core', find: parameter('{ $$$NAMES }: Order'), replace: '{ $$$NAMES, taken }: Order' };
    expect(plantIn('function pay({ id, at, }: Order) {}', edit)).toBe('function pay({ id, at, taken }: Order) {}');
    expect(plantIn('function pay({ id, at }: Order) {}', edit)).toBe('function pay({ id, at, taken }: Order) {}');
  });

  test('reads templates with type arguments, and what follows them', () => {
    // The grammar cannot read them, and would not find anything in the rest of the file.
    const text = 'const none = sql<string | null>`null`; query(1);';
    expect(plantIn(text, { in: 'core', find: 'query($N)', replace: 'query($N + 1)' })).toBe(
      'const none = sql<string | null>`null`; query(1 + 1);',
    );
  });

  test('sees the edits before it', () => {
    // A defect may take away one of two similar places first.
    const text = "first.where('a', 1); second.where('b', 2);";
    const edits: Edit[] = [
      { in: 'core', find: "$QUERY.where('a', $VALUE)", replace: '$QUERY' },
      { in: 'core', find: '$QUERY.where($COLUMN, $VALUE)', replace: '$QUERY' },
    ];
    expect(plantIn(text, ...edits)).toBe('first; second;');
  });

  test('is refused with a metavariable that no pattern has', () => {
    // It would plant something else than its author meant.
    write('core/pay.ts', 'query(1);');
    const typo: Edit = { in: 'core', find: 'query($NUMBER)', replace: 'query($$$NUMBERS, $NUMBR)' };
    expect(refusal(typo)).toMatchObject({ message: expect.stringContaining('no pattern binds $$$NUMBERS, $NUMBR') });
  });
});

describe('an edit of SQL text', () => {
  const LOCK: Edit = { in: 'core', sql: 'where id = ? for update', replace: 'where id = ?' };

  test('applies, whatever the white space is', () => {
    // Statements are wrapped again when a line becomes too long.
    expect(plantIn('run(`select 1\n  where id = ?\n  for update`);', LOCK)).toBe('run(`select 1\n  where id = ?`);');
    expect(plantIn("run('where id=? for update');", LOCK)).toBe("run('where id = ?');");
  });

  test('applies beside code in a template', () => {
    // Most statements take their columns from a constant.
    expect(plantIn('run(`select ${COLUMNS} where id = ? for update`);', LOCK)).toContain('where id = ?`');
  });

  test('does not apply to comments, code, or parts of words', () => {
    // The same words elsewhere are no statement.
    write('core/pay.ts', '// where id = ? for update\nrun(`somewhere id = ? for update`, `where id = ? for updates`);');
    expect(refusal(LOCK)).toBeInstanceOf(EditDoesNotApply);
  });
});

describe('an edit that does not match exactly once', () => {
  test('says how many places there are, and where', () => {
    // Whoever repairs the defect starts from there.
    write('core/pay.ts', "\nawait gateway.query(handle, { kind: 'final', at });");
    write('core/late/query.ts', "await gateway.query(handle, { kind: 'final', at });");
    const error = refusal(QUERY);
    expect(error).toBeInstanceOf(EditDoesNotApply);
    expect(error).toMatchObject({
      message: expect.stringContaining('is there 2 times (core/late/query.ts:1, core/pay.ts:2)'),
    });
  });

  test.each([
    ['in a folder without it', 'core'],
    ['in a folder that is gone', 'gone'],
    ['in a file that is gone', 'core/gone.ts'],
  ])('does not apply %s', (_where, place) => {
    // A defect that cannot be planted must not count as caught.
    write('core/pay.ts', "await gateway.query(handle, { kind: 'first', at });");
    const error = refusal({ ...QUERY, in: place });
    expect(error).toBeInstanceOf(EditDoesNotApply);
    expect(error).toMatchObject({ message: expect.stringContaining('is there 0 times') });
  });
});
