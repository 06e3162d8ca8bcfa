import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { noteRestore } from '../../../core/maintenance/store/after-restore.ts';
import { digestOf, ledgerRows, type LedgerTable } from '../../../core/ledger/canonical.ts';
import type { Finding } from '../../../core/ledger/verify/findings.ts';
import type { Witness } from '../../../core/ledger/verify/verify-chain.ts';
import { postTransaction } from '../../../core/ledger/store.ts';
import { paymentPosting, reversal } from '../../../domain/ledger.ts';
import { createApplication, openLedger, payPayment, receiveLate, type LedgerFixture } from './ledger-fixture.ts';

let ledger: LedgerFixture;
let applicationId: bigint;
beforeEach(async () => {
  ledger = await openLedger();
  applicationId = await createApplication(ledger.database);
  // Payments 1 to 4: journal entries 1 to 4 with postings 1 to 8, in two seals.
  for (let paid = 0; paid < 4; paid += 1) {
    await payPayment(ledger.database, { applicationId, grossMinor: 10_000n + BigInt(paid) });
  }
  await ledger.seal(2);
  await ledger.seal(2);
});
afterEach(() => ledger.close());

async function first(witnesses: readonly Witness[] = []): Promise<string> {
  return named((await ledger.verify(witnesses)).findings)[0] ?? 'nothing';
}

function named(findings: readonly Finding[]): string[] {
  return findings.map(({ check, table, id }) => `${check} ${table} ${id}`);
}

describe('an untouched ledger', () => {
  // Operators would ignore a check that reports false findings.
  test('is proved without a finding', async () => {
    const paid = await payPayment(ledger.database, { applicationId, mode: 'LIVE', feeMinor: 0n });
    await receiveLate(ledger.database, { ...paid, applicationId, mode: 'LIVE' });
    const report = await ledger.verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ paidPayments: 5, unappliedPayments: 1, findingCount: 0 });
    expect(report.unsealed.transactions).toBe(2n);
    expect(report.unsealed.oldestSeconds).toBeGreaterThanOrEqual(0);
  });

  // With more than one page, the check must neither skip nor repeat rows at the page boundaries.
  test('is proved over many seals', async () => {
    for (let paid = 0; paid < 8; paid += 1) {
      await payPayment(ledger.database, { applicationId });
      await ledger.seal(1);
    }
    expect((await ledger.verify()).chain).toMatchObject({ seals: 10n, sealedTransactions: 12n });
  });
});

describe('tampering with sealed rows names the row', () => {
  // An attacker with the server's files or its superuser can change rows, and that must not go unnoticed.
  test.each([
    ['an amount was changed', `update ledger_postings set amount_minor = 99 where id = 3`, 'chain ledger_postings 3'],
    [
      'a posting was turned around',
      `update ledger_postings set debit_account_id = credit_account_id, credit_account_id = debit_account_id where id = 5`,
      'chain ledger_postings 5',
    ],
    ['a posting was deleted', `delete from ledger_postings where id = 4`, 'chain ledger_postings 4'],
    ['a transaction was deleted', `delete from ledger_transactions where id = 2`, 'chain ledger_transactions 2'],
    [
      'the time of a transaction was changed',
      `update ledger_transactions set created_at = created_at - interval '1 microsecond' where id = 3`,
      'chain ledger_transactions 3',
    ],
    [
      'the cause of a transaction was changed',
      `update ledger_transactions set cause_id = 'pay_else' where id = 1`,
      'chain ledger_transactions 1',
    ],
    [
      'an account was renamed',
      `update ledger_accounts set name = 'bank' where name = 'app:payable'`,
      'chain ledger_accounts',
    ],
    [
      'a posting was added to a sealed transaction',
      `insert into ledger_postings (transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor) select transaction_id, application_id, mode, currency, credit_account_id, debit_account_id, 1 from ledger_postings where id = 1`,
      'chain ledger_postings 9',
    ],
  ])('%s', async (_name, sql, finding) => {
    await ledger.asIntruder(sql);
    expect(await first()).toMatch(new RegExp(`^${finding}\\b`));
  });

  // Exchanged rows leave every sum correct. Only their digests differ.
  test('two postings of equal amount were exchanged', async () => {
    await ledger.asIntruder(
      `update ledger_postings set transaction_id = case id when 2 then 2 else 1 end where id in (2, 4)`,
    );
    const findings = named((await ledger.verify()).findings);
    expect(findings.slice(0, 2)).toEqual(['chain ledger_postings 2', 'chain ledger_postings 4']);
  });

  // The finding must show the current row, so that an operator can compare it with a backup.
  test('the finding shows the row as it reads now', async () => {
    await ledger.asIntruder(`update ledger_postings set amount_minor = 99 where id = 3`);
    const [finding] = (await ledger.verify()).findings;
    expect(finding?.what).toMatch(/seal 1 .* amount_minor=99/);
  });
});

describe('tampering with the chain', () => {
  // An attacker can edit seals too, but then a link no longer matches the next one.
  test.each([
    ['a hash was changed', `update ledger_seals set hash = sha256('x') where id = 1`, 'chain ledger_seals 1'],
    ['a count was changed', `update ledger_seals set total_transactions = 40 where id = 1`, 'chain ledger_seals 1'],
    [
      'the last seal claims more than it sealed',
      `update ledger_seals set row_count = 40 where id = 2`,
      'chain ledger_seals 2',
    ],
    ['a seal was removed', `delete from ledger_seals where id = 1`, 'chain ledger_seals 2'],
    ['the newest seal was removed and its rows left', `delete from ledger_seals where id = 2`, 'chain ledger_seals 2'],
    [
      'a sealed row was removed',
      `delete from ledger_sealed_rows where seal_id = 1 and position = 4`,
      'chain ledger_seals 1',
    ],
    [
      'two sealed rows changed places',
      `update ledger_sealed_rows set position = position + 100 where seal_id = 2`,
      'chain ledger_seals 2',
    ],
  ])('%s', async (_name, sql, finding) => {
    await ledger.asIntruder(sql);
    expect(named((await ledger.verify()).findings)).toContain(finding);
  });

  // If a digest was forged to match the changed row, the seal's own hash reveals it.
  test('a digest was forged to fit a changed row', async () => {
    await ledger.asIntruder(`update ledger_postings set amount_minor = 99 where id = 3`);
    await forgeDigest('ledger_postings', '3');
    expect(await first()).toBe('chain ledger_seals 1');
  });

  // The results of the sealing workflows contradict a chain that was completely rewritten.
  test('a chain that was sealed anew contradicts its witnesses', async () => {
    const before = await ledger.seal();
    const witness = { sealId: before.head.sealId, hash: before.head.hash.toString('hex'), source: 'workflow w' };
    await ledger.asIntruder(`delete from ledger_sealed_rows`);
    await ledger.asIntruder(`delete from ledger_seals`);
    await ledger.asIntruder(`update ledger_postings set amount_minor = amount_minor + 1 where id in (1)`);
    await ledger.seal(2);
    await ledger.seal(2);
    expect(await first([witness])).toBe('witness ledger_seals 2');
  });

  // If the newest seals are removed, the remaining chain is still valid in itself.
  test('a chain that was cut off contradicts its witnesses', async () => {
    const { head } = await ledger.seal();
    const witness = { sealId: head.sealId, hash: head.hash.toString('hex'), source: 'workflow w' };
    expect(await first([witness])).toBe('nothing');
    await ledger.asIntruder(`delete from ledger_sealed_rows where seal_id = 2`);
    await ledger.asIntruder(`delete from ledger_seals where id = 2`);
    expect(await first()).toBe('nothing');
    expect(await first([witness])).toBe('witness ledger_seals 2');
  });

  // After a restore, heads that were sealed after the backup are missing without any attack. Later heads are compared again.
  test('a chain that was cut off by a restore contradicts none of the witnesses before it', async () => {
    const { head } = await ledger.seal();
    const hash = head.hash.toString('hex');
    const witness = { sealId: head.sealId + 1n, hash, source: 'workflow w', at: new Date(Date.now() - 60_000) };
    expect(await first([witness])).toBe(`witness ledger_seals ${head.sealId + 1n}`);
    await ledger.database.withSystem(noteRestore);
    expect(await first([witness])).toBe('nothing');
    expect(
      await first([
        { ...witness, sealId: head.sealId, hash: hash.replace(/./, (digit) => (digit === '0' ? '1' : '0')) },
      ]),
    ).toBe(`witness ledger_seals ${head.sealId}`);
    const later = { ...witness, at: new Date(Date.now() + 60_000) };
    expect(await first([later])).toBe(`witness ledger_seals ${head.sealId + 1n}`);
  });

  // A row inserted behind the sealer's position would never be sealed.
  test('a transaction was slipped in behind the sealed ones', async () => {
    await ledger.asIntruder(
      `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind, xid)
       select application_id, mode, currency, cause_type, 'slipped', kind, xid from ledger_transactions where id = 1`,
    );
    expect(await first()).toBe('chain ledger_transactions 5');
  });
});

describe('payment = ledger = evidence', () => {
  // A payment counts as paid only if the gateway confirmed it and it is posted.
  test.each([
    [
      'a payment was marked paid by hand',
      `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at, paid_at, ended_at) select application_id, mode, 'pay_hand', 'SUCCEEDED', 1, 'BDT', 'c', 'sslcommerz', now(), now(), now(), now() from payments where id = 1`,
      'payment payments 5',
    ],
    [
      'a paid payment was marked failed',
      `update payments set status = 'FAILED', paid_at = null where id = 2`,
      'unexplained ledger_transactions 2',
    ],
    ['the amount of a payment was changed', `update payments set amount_minor = 5 where id = 3`, 'payment payments 3'],
    ['the fee of a payment was changed', `update payments set fee_minor = 0 where id = 3`, 'payment payments 3'],
    [
      'an attempt no longer says confirmed',
      `update payment_attempts set status = 'OPEN' where id = 4`,
      'payment payments 4',
    ],
    [
      'payment and attempt were changed alike',
      `update payments set amount_minor = 5, fee_minor = 1 where id = 3; update payment_attempts set gross_minor = 5, fee_minor = 1 where id = 3`,
      'payment payment_attempts 3',
    ],
    [
      'the evidence was changed',
      `update payment_attempts set evidence = replace(evidence, '"amount":"100.01"', '"amount":"900.01"') where id = 2`,
      'payment payment_attempts 2',
    ],
    [
      'the evidence is of another attempt',
      `update payment_attempts set evidence = (select evidence from payment_attempts where id = 1) where id = 2`,
      'payment payment_attempts 2',
    ],
    [
      'the evidence is garbage',
      `update payment_attempts set evidence = '<html>' where id = 1`,
      'payment payment_attempts 1',
    ],
    [
      'the evidence says failed',
      `update payment_attempts set evidence = replace(evidence, 'VALID', 'FAILED') where id = 1`,
      'payment payment_attempts 1',
    ],
    [
      'a payment was deleted',
      `delete from payments where id = 1; delete from payment_attempts where id = 1`,
      'unexplained ledger_transactions 1',
    ],
    [
      'a confirmed attempt belongs to an expired payment',
      `update payments set status = 'EXPIRED', paid_at = null where id = 1; delete from ledger_transactions where id = 1; delete from ledger_postings where transaction_id = 1`,
      'payment payment_attempts 1',
    ],
  ])('%s', async (_name, sql, finding) => {
    for (const statement of sql.split(';')) {
      await ledger.asIntruder(statement);
    }
    expect(named((await ledger.verify()).findings)).toContain(finding);
  });

  // Before a row is sealed, its payment reveals a change.
  test('an unsealed posting was changed', async () => {
    await payPayment(ledger.database, { applicationId });
    await ledger.asIntruder(`update ledger_postings set amount_minor = 1 where id = 9`);
    const [finding] = (await ledger.verify()).findings;
    expect(finding).toMatchObject({ check: 'payment', table: 'ledger_postings', id: '9' });
    expect(finding?.what).toMatch(/is .* 1, but its cause requires .* 10000/);
  });

  test('a transaction without a payment was posted', async () => {
    const money = { gateway: 'sslcommerz', grossMinor: 5n, feeMinor: 0n };
    const extra = paymentPosting({
      applicationId,
      mode: 'TEST',
      currency: 'BDT',
      reference: 'pay_nobody',
      ...money,
    });
    await ledger.database.withScope({ applicationId, mode: 'TEST' }, (em) => postTransaction(em, extra));
    await ledger.seal();
    expect(await first()).toBe('unexplained ledger_transactions 5');
  });

  // The payment still says that it was paid, so somebody must explain the reversal.
  test('the settlement of a paid payment was reversed', async () => {
    const [row] = await ledger.asOwner((em) =>
      em.execute<{ reference: string }[]>(`select reference from payments where id = 1`),
    );
    const money = { gateway: 'sslcommerz', grossMinor: 10_000n, feeMinor: 250n };
    const reference = row?.reference ?? '';
    const original = paymentPosting({ applicationId, mode: 'TEST', currency: 'BDT', reference, ...money });
    await ledger.database.withScope({ applicationId, mode: 'TEST' }, (em) =>
      postTransaction(em, reversal({ ...original, id: 1n })),
    );
    expect(named((await ledger.verify()).findings)).toEqual(['payment ledger_transactions 1']);
  });

  test.each([
    [
      'a late amount was changed',
      `update unapplied_payments set gross_minor = 1, fee_minor = 0`,
      'unapplied-payment unapplied_payments',
    ],
    [
      'its posting was deleted',
      `delete from ledger_transactions where kind = 'unapplied'`,
      'unapplied-payment unapplied_payments',
    ],
    ['an unapplied payment was deleted', `delete from unapplied_payments`, 'unexplained ledger_transactions'],
  ])('%s', async (_name, sql, finding) => {
    const paid = await payPayment(ledger.database, { applicationId });
    await receiveLate(ledger.database, { ...paid, applicationId });
    await ledger.asIntruder(sql);
    expect(named((await ledger.verify()).findings).join('\n')).toContain(finding);
  });
});

describe('balances', () => {
  // The trial balance counts only existing accounts, so a deleted account unbalances it.
  test.each([
    ['an account was deleted', `delete from ledger_accounts where name = 'app:payable'`],
    ['an account was moved to the other mode', `update ledger_accounts set mode = 'LIVE' where name = 'gateway:fees'`],
  ])('%s', async (_name, sql) => {
    await ledger.asIntruder(sql);
    const report = await ledger.verify();
    expect(report.trialBalance.some(({ debitsMinor, creditsMinor }) => debitsMinor !== creditsMinor)).toBe(true);
    expect(named(report.findings)).toContain('balance ledger_postings TEST BDT');
  });

  // A posting moved to another app must be named, although every sum is correct.
  test('a posting was moved to another app', async () => {
    const other = await createApplication(ledger.database);
    await ledger.asIntruder(`update ledger_postings set application_id = ${other} where id = 1`);
    expect(named((await ledger.verify()).findings)).toContain('balance ledger_postings 1');
  });

  // Thousands of bad rows must not produce thousands of lines, nor be counted as a hundred.
  test('counts all findings and lists the first hundred', async () => {
    for (let extra = 0; extra < 60; extra += 1) {
      await payPayment(ledger.database, { applicationId });
    }
    await ledger.seal();
    await ledger.asIntruder(`update ledger_postings set amount_minor = amount_minor + 1`);
    const report = await ledger.verify();
    expect(report.findings).toHaveLength(100);
    expect(report.findingCount).toBeGreaterThan(128);
  });
});

async function forgeDigest(table: LedgerTable, id: string): Promise<void> {
  const rows = await ledger.database.withSystem((em) => ledgerRows(em, { table, column: 'id', ids: [id] }));
  for (const row of rows) {
    await ledger.asIntruder(
      `update ledger_sealed_rows set digest = decode('${digestOf(row).toString('hex')}', 'hex')
       where table_name = '${table}' and row_id = ${id}`,
    );
  }
}
