import { describe, expect, test } from '@jest/globals';
import { parseArgs } from 'node:util';
import { OPTIONS, readCommand, UsageError, type AppCommand } from '../../../scripts/commands/app-command.ts';

function read(...args: string[]): AppCommand {
  return readCommand(parseArgs({ args, options: OPTIONS, allowPositionals: true }));
}

describe('npm run app', () => {
  test('create takes every setting', () => {
    // Otherwise an application would be registered with other settings than the flags say.
    const flags = ['--name', ' Shop ', '--webhook-url', 'https://shop.example/hook', '--expiry-minutes', '45'];
    const origins = ['--return-origin', 'https://Shop.example/', '--return-origin', 'https://b.example:8443'];
    const amounts = [
      '--min-amount',
      '1000',
      '--max-amount',
      '',
      '--unapplied-payments',
      'refund',
      '--rate-limit',
      '50',
    ];
    expect(read('create', ...flags, ...origins, ...amounts)).toEqual({
      action: 'create',
      settings: {
        name: 'Shop',
        webhookUrl: 'https://shop.example/hook',
        returnOrigins: ['https://shop.example', 'https://b.example:8443'],
        expiryMinutes: 45,
        minAmountMinor: 1000n,
        maxAmountMinor: null,
        unappliedPaymentPolicy: 'REFUND',
        rateLimitPerMinute: 50,
      },
    });
  });

  test('switches receipts and names customer defaults', () => {
    // Otherwise a gateway that requires customer data would get none, or fields that it does not know.
    expect(
      read(
        'set',
        '--id',
        '7',
        '--receipts',
        'on',
        '--customer-default',
        'email=pay@shop.example',
        '--customer-default',
        'city=Khulna',
      ),
    ).toEqual({
      action: 'set',
      id: 7n,
      settings: { receiptsEnabled: true, customerDefaults: { email: 'pay@shop.example', city: 'Khulna' } },
    });
    expect(() => read('set', '--id', '7', '--receipts', 'yes')).toThrow(UsageError);
    expect(() => read('set', '--id', '7', '--customer-default', 'iban=X')).toThrow(UsageError);
  });

  test('sets a refund threshold for each currency, and takes all of them away', () => {
    // Otherwise an administrator on the server could not set a threshold, for which no second person is needed there.
    expect(read('set', '--id', '7', '--refund-threshold', 'BDT=500000', '--refund-threshold', 'USD=0')).toMatchObject({
      settings: { refundApprovalThresholdMinor: 500_000n, refundApprovalThresholds: { USD: 0n } },
    });
    expect(read('set', '--id', '7', '--refund-threshold', '')).toMatchObject({
      settings: { refundApprovalThresholdMinor: null, refundApprovalThresholds: {} },
    });
    for (const wrong of ['500000', 'BDT=', 'BDT=1.5', 'XYZ=5', 'usd=5']) {
      expect(() => read('set', '--id', '7', '--refund-threshold', wrong)).toThrow(UsageError);
    }
  });

  test('set changes only what is given, and an empty value clears', () => {
    // Otherwise changing one setting would reset another.
    expect(read('set', '--id', '7', '--webhook-url', '', '--return-origin', '')).toEqual({
      action: 'set',
      id: 7n,
      settings: { webhookUrl: null, returnOrigins: [] },
    });
  });

  test('takes a URL for TEST, and an empty one for that of LIVE', () => {
    // Otherwise events of TEST would go to the LIVE shop.
    expect(read('set', '--id', '7', '--test-webhook-url', 'https://staging.example/hook')).toMatchObject({
      settings: { testWebhookUrl: 'https://staging.example/hook' },
    });
    expect(read('set', '--id', '7', '--test-webhook-url', '')).toMatchObject({ settings: { testWebhookUrl: null } });
  });

  test('rotate takes a mode in either case and a grace', () => {
    // Otherwise a rotation could affect the wrong mode.
    expect(read('rotate', '--id', '7', '--mode', 'live', '--grace-hours', '0')).toEqual({
      action: 'rotate',
      id: 7n,
      key: { mode: 'LIVE', contract: 'native' },
      graceHours: { graceHours: 0 },
    });
  });

  test('issues, lists and revokes keys of each contract', () => {
    // Otherwise a key could be valid in another mode or contract, or have more scopes than requested.
    expect(read('issue', '--id', '7', '--mode', 'test', '--contract', 'ownpay', '--scope', 'read')).toEqual({
      action: 'issue',
      id: 7n,
      key: { mode: 'TEST', contract: 'ownpay', scopes: ['read'] },
    });
    expect(read('issue', '--id', '7', '--mode', 'live', '--contract', 'shadhinpay')).toEqual({
      action: 'issue',
      id: 7n,
      key: { mode: 'LIVE', contract: 'shadhinpay' },
    });
    expect(read('keys', '--id', '7')).toEqual({ action: 'keys', id: 7n });
    expect(read('revoke', '--id', '7', '--key', '9')).toEqual({ action: 'revoke', id: 7n, credentialId: 9n });
  });

  test('chooses the events of ShadhinPay’s contract, or those on by default', () => {
    // Otherwise a business would get other events than it chose.
    const events = (...names: string[]) =>
      read('set', '--id', '7', ...names.flatMap((name) => ['--shadhinpay-event', name]));
    expect(events('payment.expired', 'payment.completed')).toMatchObject({
      settings: { shadhinpayEvents: ['payment.expired', 'payment.completed'] },
    });
    expect(events('')).toMatchObject({ settings: { shadhinpayEvents: null } });
  });

  test.each([
    [['set', '--id', '1', '--shadhinpay-event', 'payment.succeeded'], '--shadhinpay-event must be one of'],
    [
      ['issue', '--id', '1', '--mode', 'TEST', '--contract', 'shadhinpay', '--scope', 'read'],
      'does not apply to shadhinpay',
    ],
    [['issue', '--id', '1', '--mode', 'TEST', '--scope', 'read'], 'does not apply to native keys'],
    [['issue', '--id', '1', '--mode', 'TEST', '--contract', 'x'], '--contract must be'],
    [['issue', '--id', '1', '--mode', 'TEST', '--contract', 'ownpay', '--scope', 'admin'], '--scope must be'],
    [['revoke', '--id', '1'], '--key is missing'],
    [[], 'Give an action'],
    [['delete'], 'not one of create, set, keys, issue, rotate, revoke'],
    [['create'], '--name is missing'],
    [['create', '--name', '  '], '--name'],
    [['create', '--name', 'a', '--id', '1'], 'does not take --id'],
    [['create', 'My', 'Shop', '--name', 'a'], 'Quote values'],
    [['set', '--id', '1'], 'Nothing to set'],
    [['set', '--name', 'a'], '--id is missing'],
    [['set', '--id', '1x', '--name', 'a'], '--id'],
    [['set', '--id', '1', '--expiry-minutes', '0'], '1 to 1440'],
    [['set', '--id', '1', '--expiry-minutes', '1e3'], '1 to 1440'],
    [['set', '--id', '1', '--min-amount', '10.5'], 'minor units'],
    [['set', '--id', '1', '--webhook-url', 'ftp://shop.example'], '--webhook-url'],
    [['set', '--id', '1', '--test-webhook-url', 'ftp://shop.example'], '--test-webhook-url'],
    [['set', '--id', '1', '--webhook-url', 'https://user:pass@shop.example'], '--webhook-url'],
    [['set', '--id', '1', '--return-origin', 'https://shop.example/path'], '--return-origin'],
    [['set', '--id', '1', '--unapplied-payments', 'keep'], 'review or refund'],
    [['rotate', '--id', '1'], '--mode is missing'],
    [['rotate', '--id', '1', '--mode', 'PROD'], 'TEST or LIVE'],
    [['rotate', '--id', '1', '--mode', 'TEST', '--name', 'a'], 'rotate takes'],
  ])('refuses %j', (args, words) => {
    // Otherwise a mistake on the command line would change something without an explanation.
    expect(() => read(...args)).toThrow(UsageError);
    expect(() => read(...args)).toThrow(words);
  });
});
