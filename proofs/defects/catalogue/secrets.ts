import { testFile, testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';

/** Defects that disclose data or secrets, or give a process rights that it should not have. */
export const SECRETS: readonly Defect[] = [
  {
    name: 'table-without-row-level-security',
    breaks: 'A query without its scope shows one application the unapplied payments of another.',
    edits: [
      {
        in: 'database/migrations',
        find: '[`alter table ${$NAME} enable row level security`, `alter table ${$NAME} force row level security`]',
        replace:
          "$NAME === 'unapplied_payments' ? [] : [`alter table ${$NAME} enable row level security`, `alter table ${$NAME} force row level security`]",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/database/row-level-security.test.ts'),
        names: 'row-level security every table that the app role touches forces it with a policy',
      },
    ],
  },
  {
    name: 'secret-compared-by-equals',
    breaks: 'The duration of a comparison tells an attacker how much of a guessed signature is right.',
    edits: [
      {
        in: 'runtime',
        find: 'function secretEquals($CLAIMED: string, $RIGHT: string): boolean { $$$BODY }',
        replace: 'function secretEquals($CLAIMED: string, $RIGHT: string): boolean { return $CLAIMED === $RIGHT; }',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/defects/constant-time.test.ts'),
        names: 'secrets are never compared character by character',
      },
    ],
  },
  {
    name: 'values-in-statements',
    breaks: "Values are part of a statement's text, so the server logs a payer's data when the statement fails.",
    edits: [
      {
        in: 'database',
        find: 'const $NUMBER = $VALUES.push(transferred($VALUE))',
        replace: `if (typeof $VALUE === 'string') {
    return \`'\${$VALUE.replaceAll("'", "''")}'\`;
  }
  const $NUMBER = $VALUES.push(transferred($VALUE));`,
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/postgres-log.test.ts'),
        names:
          "the server's log holds no value of a statement, although each one is logged, and none of a row that was refused",
      },
    ],
  },
  {
    name: 'login-with-a-way-out',
    breaks: 'A login keeps memberships that somebody granted it, so a process can switch to a role with more rights.',
    edits: [
      {
        in: 'database',
        find: 'for (const $GROUP of $GROUPS) { await alone($EM, `revoke "${$QUOTED}" from ${$ROLE}`); }',
        replace: 'for (const $GROUP of $GROUPS.slice(1)) { await alone($EM, `revoke "${$QUOTED}" from ${$ROLE}`); }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/database/runtime-logins.test.ts'),
        names: 'preparing the logins takes away what leads beyond the role',
      },
    ],
  },
  {
    name: 'secrets-without-a-place',
    breaks:
      "A sealed secret also opens in another row, so anyone who can write to the database signs with one application's secret for another.",
    edits: [
      {
        in: 'runtime',
        find: '`${$COLUMN}\\n${$KEY}`',
        replace: '$COLUMN',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/domain/secrets.test.ts'),
        names: 'a sealed secret is not opened in the place of another row, also after a change of keys',
      },
    ],
  },
  {
    name: 'scope-of-ended-credential',
    breaks: 'A revoked or expired credential still opens the scope of its application, so a read beside it sees rows.',
    edits: [
      {
        in: 'database/migrations',
        sql: "case when f.usable then f.application_id::text else '' end",
        replace: 'f.application_id::text',
      },
      { in: 'database/migrations', sql: "case when f.usable then f.mode else '' end", replace: 'f.mode' },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/early-read.test.ts'),
        names: 'an unknown, revoked or expired key reads nothing, also right after a caller who may',
      },
    ],
  },
  {
    name: 'read-without-secret',
    breaks: 'A request that presents the right key with a wrong secret gets the payment.',
    edits: [
      {
        in: 'api/native',
        find: 'return { caller: await admit($FOUND, $PRESENTED), early }',
        replace: 'return { caller: $FOUND ?? (await admit($FOUND, $PRESENTED)), early }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/early-read.test.ts'),
        names: 'a wrong secret gets no payment, and the key of another contract is not a caller',
      },
    ],
  },
];
