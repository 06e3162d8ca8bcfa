import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  const other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'admin@example.com', role: 'Admin' });
  await world.addOperator({ email: 'elsewhere@example.com', role: 'Admin', applicationId: other.applicationId });
  for (const name of ['owner', 'admin', 'elsewhere']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown, as = 'admin'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });

interface Registered {
  readonly application: { readonly id: number };
  readonly credentials: Record<
    'testApiKey' | 'testApiSecret' | 'liveApiKey' | 'liveApiSecret' | 'signingSecret' | 'testSigningSecret',
    string
  >;
}

async function registered(settings: object = {}): Promise<Registered> {
  return (await send('POST', '/admin/apps', { name: 'Storefront', ...settings })).data as Registered;
}

async function statusOf(apiKey: string, apiSecret: string): Promise<number> {
  return (await call({ origin: world.origin, path: '/app/me', credentials: { apiKey, apiSecret } })).status;
}

const auditOf = async (id: number): Promise<string[]> =>
  (
    await world.api.sql<{ action: string }>(
      `select action from audit_logs where target_type = 'application' and target_id = ? order by id`,
      [String(id)],
    )
  ).map(({ action }) => action);

describe('an application', () => {
  test('is registered with a pair and a signing secret for each mode that are shown once', async () => {
    // Both pairs work at once, and no later answer may contain a secret.
    const { application, credentials } = await registered();
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(200);
    expect(await statusOf(credentials.liveApiKey, credentials.liveApiSecret)).toBe(200);
    expect(credentials.signingSecret).toMatch(/^whsec_/);
    expect(credentials.testSigningSecret).toMatch(/^whsec_/);
    expect(credentials.testSigningSecret).not.toBe(credentials.signingSecret);
    const later = [
      await send('GET', `/admin/apps/${application.id}`),
      await send('GET', `/admin/apps/${application.id}/credentials`),
      await send('GET', '/admin/apps'),
      await send('GET', '/admin/audit-logs', undefined, 'owner'),
    ];
    for (const { text } of later) {
      for (const secret of Object.values(credentials)) {
        expect(text).not.toContain(secret);
      }
    }
    expect(await auditOf(application.id)).toEqual(['application.registered']);
  });

  test('changes what is given, clears by null and keeps the rest', async () => {
    // PATCH works as documented.
    const { application } = await registered({ minAmountMinor: 100, refundApprovalThresholdMinor: 5_000 });
    const settings = `/admin/apps/${application.id}/settings`;
    expect((await send('PATCH', settings, { maxAmountMinor: 900, minAmountMinor: null })).data).toMatchObject({
      name: 'Storefront',
      minAmountMinor: null,
      maxAmountMinor: 900,
      refundApprovalThresholdMinor: 5_000,
    });
    expect((await send('PATCH', settings, {})).data).toMatchObject({ maxAmountMinor: 900 });
    expect(await auditOf(application.id)).toEqual([
      'application.registered',
      'application.settings-changed',
      'application.settings-changed',
    ]);
  });

  test.each([
    ['webhookUrl', { webhookUrl: 'http://169.254.169.254/hook' }],
    ['webhookUrl', { webhookUrl: 'gopher://example.com' }],
    ['testWebhookUrl', { testWebhookUrl: 'http://169.254.169.254/hook' }],
    ['maxAmountMinor', { minAmountMinor: 500, maxAmountMinor: 100 }],
    ['returnOrigins.0', { returnOrigins: ['https://shop.example/path'] }],
    ['expiryMinutes', { expiryMinutes: 0 }],
    ['refundApprovalThresholdMinor', { refundApprovalThresholdMinor: -1 }],
  ])('refuses a bad %s', async (field, settings) => {
    // Otherwise the mistake would appear only at the first payment.
    const { application } = await registered();
    const answer = await send('PATCH', `/admin/apps/${application.id}/settings`, settings);
    expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(Object.keys(answer.data as object)).toEqual([field]);
  });

  test('that is disabled is refused at once, and works again when it is enabled', async () => {
    // The row is read on every request.
    const { application, credentials } = await registered();
    await send('POST', `/admin/apps/${application.id}/disable`);
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(401);
    await send('POST', `/admin/apps/${application.id}/enable`);
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(200);
  });

  test('of another grant is not there', async () => {
    // Otherwise the answer would reveal another tenant's application. Registering one takes a grant for all applications.
    const { application } = await registered();
    for (const [method, path, body] of [
      ['GET', `/admin/apps/${application.id}`],
      ['GET', `/admin/apps/${application.id}/credentials`],
      ['PATCH', `/admin/apps/${application.id}/settings`, { name: 'Mine' }],
      ['POST', `/admin/apps/${application.id}/credentials/rotate`, { mode: 'TEST' }],
      ['POST', `/admin/apps/${application.id}/signing-secret/rotate`, {}],
      ['POST', `/admin/apps/${application.id}/disable`],
    ] as const) {
      expect(await send(method, path, body, 'elsewhere')).toMatchObject({ status: 404, code: 'RESOURCE_NOT_FOUND' });
    }
    expect(await send('POST', '/admin/apps', { name: 'New' }, 'elsewhere')).toMatchObject({ status: 403 });
  });
});

describe('a credential', () => {
  test('that is rotated works on for its grace, beside the new one', async () => {
    // The grace lasts 24 hours by default, and the other mode is not affected.
    const { application, credentials } = await registered();
    const rotated = await send('POST', `/admin/apps/${application.id}/credentials/rotate`, { mode: 'TEST' });
    const { apiKey, apiSecret, previousKeyExpiresAt } = rotated.data as Record<string, string>;
    const left = Date.parse(previousKeyExpiresAt ?? '') - Date.now();
    expect(left / 3_600_000).toBeCloseTo(24, 1);
    expect(await statusOf(apiKey ?? '', apiSecret ?? '')).toBe(200);
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(200);
    const { data } = await send('GET', `/admin/apps/${application.id}/credentials`);
    expect(data).toMatchObject([
      { mode: 'TEST', expiresAt: null },
      { mode: 'LIVE', expiresAt: null },
      { mode: 'TEST', expiresAt: previousKeyExpiresAt },
    ]);
    const none = await send('POST', `/admin/apps/${application.id}/credentials/rotate`, {
      mode: 'TEST',
      graceHours: 0,
    });
    expect(none.status).toBe(200);
    expect(await statusOf(apiKey ?? '', apiSecret ?? '')).toBe(401);
  });

  test('that is revoked is refused with the next request, and tells when it was used', async () => {
    // A revoked credential has no grace, even if a process has it in its cache.
    const { application, credentials } = await registered();
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(200);
    const list = (await send('GET', `/admin/apps/${application.id}/credentials`)).data as {
      id: number;
      mode: string;
      lastUsedAt: string | null;
    }[];
    const used = list.find(({ mode }) => mode === 'TEST');
    expect(used?.lastUsedAt).not.toBeNull();
    const revoke = `/admin/apps/${application.id}/credentials/${used?.id}/revoke`;
    expect((await send('POST', revoke)).data).toMatchObject({ status: 'REVOKED' });
    expect(await statusOf(credentials.testApiKey, credentials.testApiSecret)).toBe(401);
    expect(await statusOf(credentials.liveApiKey, credentials.liveApiSecret)).toBe(200);
    const foreign = await registered();
    expect(await send('POST', revoke.replace(String(application.id), String(foreign.application.id)))).toMatchObject({
      status: 404,
    });
  });
});

describe('a signing secret', () => {
  test('that is rotated signs beside the former one until the overlap ends', async () => {
    // Receivers must have time to change their secret.
    const { application, credentials } = await registered();
    const rotated = await send('POST', `/admin/apps/${application.id}/signing-secret/rotate`, { overlapHours: 2 });
    const { signingSecret, previousSecretExpiresAt } = rotated.data as Record<string, string>;
    expect(signingSecret).toMatch(/^whsec_/);
    expect(signingSecret).not.toBe(credentials.signingSecret);
    expect((Date.parse(previousSecretExpiresAt ?? '') - Date.now()) / 3_600_000).toBeCloseTo(2, 1);
    const rows = await world.api.sql<{ mode: string; sealed: string; ends: boolean }>(
      `select mode, sealed, expires_at is not null as ends from webhook_signing_secrets where application_id = ? order by id`,
      [application.id],
    );
    expect(rows).toMatchObject([
      { mode: 'LIVE', ends: true },
      { mode: 'TEST', ends: false },
      { mode: 'LIVE', ends: false },
    ]);
    for (const { sealed } of rows) {
      expect(sealed).toMatch(/^v1\./);
      expect(sealed).not.toContain(signingSecret ?? '');
    }
  });

  test('of TEST is rotated without touching that of LIVE', async () => {
    // Each mode has its own secret, overlap and end.
    const { application } = await registered();
    const path = `/admin/apps/${application.id}/signing-secret/rotate`;
    expect(await send('POST', path, { mode: 'TEST', overlapHours: 0 })).toMatchObject({
      status: 200,
      data: { mode: 'TEST' },
    });
    const live = await world.api.sql(
      `select 1 from webhook_signing_secrets where application_id = ? and mode = 'LIVE' and expires_at is null`,
      [application.id],
    );
    expect(live).toHaveLength(1);
  });

  test('is refused a third overlap with 409, and replaced at once without one', async () => {
    // A promised overlap must be kept, but an owner who lost a secret must not have to wait.
    const { application } = await registered();
    const path = `/admin/apps/${application.id}/signing-secret/rotate`;
    expect([(await send('POST', path, {})).status, (await send('POST', path, {})).status]).toEqual([200, 200]);
    expect(await send('POST', path, {})).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect(await send('POST', path, { overlapHours: 0 })).toMatchObject({ status: 200 });
    expect(await send('POST', path, { overlapHours: 1, revokeFormer: true })).toMatchObject({ status: 200 });
    expect(await send('POST', path, { overlapHours: 1 })).toMatchObject({ status: 200 });
  });
});

describe('a webhook endpoint', () => {
  const disable = (id: number) =>
    world.api.sql(
      `update webhook_endpoints set disabled_at = now(), disabled_reason = 'GONE' where application_id = ?`,
      [id],
    );
  const gone = { reason: 'GONE', since: expect.any(String) };

  test('of a mode is shown and enabled by itself, or with the other one', async () => {
    // A TEST receiver that is gone says nothing about the LIVE one.
    const { application } = await registered({ webhookUrl: 'https://shop.example/hook' });
    const enable = `/admin/apps/${application.id}/webhook-endpoint/enable`;
    await disable(application.id);
    expect((await send('POST', `${enable}?mode=LIVE`)).data).toMatchObject({
      webhookDisabled: null,
      testWebhookDisabled: gone,
    });
    await disable(application.id);
    expect((await send('POST', enable)).data).toMatchObject({ webhookDisabled: null, testWebhookDisabled: null });
    expect(await send('POST', `${enable}?mode=BOTH`)).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
  });

  test('of TEST has a URL of its own until it is taken away; a new URL enables those that it is for', async () => {
    // One URL serves both modes unless TEST has its own.
    const { application } = await registered({ webhookUrl: 'https://shop.example/hook' });
    const settings = `/admin/apps/${application.id}/settings`;
    const urls = () =>
      world.api.sql('select mode, url from webhook_endpoints where application_id = ? order by mode', [application.id]);
    await disable(application.id);
    expect((await send('PATCH', settings, { testWebhookUrl: 'https://staging.example/hook' })).data).toMatchObject({
      webhookUrl: 'https://shop.example/hook',
      testWebhookUrl: 'https://staging.example/hook',
      webhookDisabled: gone,
      testWebhookDisabled: null,
    });
    await disable(application.id);
    expect((await send('PATCH', settings, { webhookUrl: 'https://new.example/hook' })).data).toMatchObject({
      webhookDisabled: null,
      testWebhookDisabled: gone,
    });
    expect(await urls()).toEqual([
      { mode: 'LIVE', url: 'https://new.example/hook' },
      { mode: 'TEST', url: 'https://staging.example/hook' },
    ]);
    expect((await send('PATCH', settings, { testWebhookUrl: null })).data).toMatchObject({
      testWebhookUrl: null,
      testWebhookDisabled: null,
    });
    expect(await urls()).toEqual([
      { mode: 'LIVE', url: 'https://new.example/hook' },
      { mode: 'TEST', url: 'https://new.example/hook' },
    ]);
  });
});
