import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { readConfig } from '../../runtime/config.ts';

const KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PRIVATE_KEY = KEYS.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
const PUBLIC_KEY = KEYS.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const masterKey = (id: string, seed: number): string =>
  `${id}:${Buffer.from(Array.from({ length: 32 }, (_, at) => at + seed)).toString('base64')}`;

const LEAST = {
  LENDEN_MASTER_KEY: masterKey('key1', 1),
  LENDEN_API_URL: 'https://pay.example',
  LENDEN_WEB_URL: 'https://checkout.example/',
};

describe('the settings', () => {
  test('have safe defaults: production, loopback, no trusted proxy', () => {
    // An installation without settings must not be exposed.
    expect(readConfig(LEAST)).toMatchObject({
      environment: 'production',
      host: '127.0.0.1',
      apiPort: 8080,
      webPort: 3000,
      webUrl: 'https://checkout.example',
      temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: null },
      trustedProxies: 0,
      logLevel: 'info',
      cachedWorkflowsMax: 1_000,
    });
  });

  test('bound the cache of workflows', () => {
    // A cache of none would replay every payment at each step, and one without a limit would fill the memory.
    expect(readConfig({ ...LEAST, LENDEN_CACHED_WORKFLOWS: '2000' }).cachedWorkflowsMax).toBe(2_000);
    for (const wrong of ['0', '-1', '1000000', 'many']) {
      expect(() => readConfig({ ...LEAST, LENDEN_CACHED_WORKFLOWS: wrong })).toThrow('LENDEN_CACHED_WORKFLOWS');
    }
  });

  test('of production refuse plain http for LIVE money and for our own pages', () => {
    // Payers' sessions, gateway credentials and callbacks must not be sent unencrypted.
    const plain = {
      LENDEN_API_URL: 'http://pay.example',
      LENDEN_WEB_URL: 'http://checkout.example',
      SSLCOMMERZ_LIVE_URL: 'http://securepay.sslcommerz.com',
      BKASH_LIVE_URL: 'http://tokenized.pay.bka.sh',
      STRIPE_LIVE_URL: 'http://api.stripe.com',
      NAGAD_LIVE_URL: 'http://api.mynagad.com/api/dfs',
    };
    for (const [name, value] of Object.entries(plain)) {
      expect(() => readConfig({ ...LEAST, [name]: value })).toThrow(name);
      expect(() => readConfig({ ...LEAST, [name]: value, LENDEN_ENV: 'development' })).not.toThrow();
    }
    expect(() => readConfig({ ...LEAST, SSLCOMMERZ_TEST_URL: 'http://sandbox.example' })).not.toThrow();
  });

  test('of production name one host and one port for each exception from the outbound rules', () => {
    // `host:*` would open every service on that host to anyone who can register a webhook.
    const allowing = (LENDEN_OUTBOUND_ALLOW: string) => ({ ...LEAST, LENDEN_OUTBOUND_ALLOW });
    expect(readConfig(LEAST).outboundAllow.entries).toEqual([]);
    expect(readConfig(allowing('shop.internal:8443')).outboundAllow.entries).toEqual(['shop.internal:8443']);
    expect(() => readConfig(allowing('shop.internal:*'))).toThrow('must have one port in production');
    const development = { ...allowing('localhost:*'), LENDEN_ENV: 'development' };
    expect(readConfig(development).outboundAllow.allows({ hostname: 'localhost', port: 1 })).toBe(true);
  });

  test('are all named at once when they are wrong, and their values never', () => {
    // One start must report everything to fix, without writing a secret to the log.
    const wrong = {
      LENDEN_API_URL: 'https://pay.example/path-canary',
      DATABASE_APP_URL: 'mysql://canary',
      DATABASE_SYSTEM_URL: 'postgresql://postgres:canary@localhost/lenden',
      LENDEN_API_PORT: '99999',
      LENDEN_ENV: 'canary',
      SSLCOMMERZ_LIVE_STORE_PASSWORD: 'canary-store',
    };
    const read = (): unknown => readConfig(wrong, { databaseRoles: ['lenden_app', 'lenden_system'] });
    expect(read).toThrow(
      /LENDEN_ENV[\s\S]*LENDEN_MASTER_KEY[\s\S]*LENDEN_API_PORT[\s\S]*LENDEN_API_URL[\s\S]*LENDEN_WEB_URL[\s\S]*DATABASE_APP_URL[\s\S]*DATABASE_SYSTEM_URL/,
    );
    expect(read).toThrow(/SSLCOMMERZ_LIVE_URL, SSLCOMMERZ_LIVE_STORE_ID, SSLCOMMERZ_LIVE_STORE_PASSWORD/);
    expect(read).not.toThrow(/canary/);
  });

  test('that are empty count as not given, as compose files write them', () => {
    // `${LENDEN_API_PORT:-}` must not mean port 0.
    const config = readConfig({ ...LEAST, LENDEN_API_PORT: '', TEMPORAL_ADDRESS: '', SSLCOMMERZ_TEST_URL: '' });
    expect([config.apiPort, config.temporal.address]).toEqual([8080, '127.0.0.1:7233']);
    expect([...config.sslcommerz]).toEqual([
      ['TEST', { baseUrl: 'https://sandbox.sslcommerz.com', store: null }],
      ['LIVE', { baseUrl: 'https://securepay.sslcommerz.com', store: null }],
    ]);
  });

  test('of a store come whole or not at all, for each mode', () => {
    // An incomplete store would fail only when the first payer pays.
    const test = {
      SSLCOMMERZ_TEST_URL: 'https://sandbox.example',
      SSLCOMMERZ_TEST_STORE_ID: 'store',
      SSLCOMMERZ_TEST_STORE_PASSWORD: 'password',
    };
    const { sslcommerz } = readConfig({ ...LEAST, ...test });
    expect(sslcommerz.get('TEST')).toEqual({
      baseUrl: 'https://sandbox.example',
      store: { id: 'store', password: 'password' },
    });
    expect(sslcommerz.get('LIVE')?.store).toBeNull();
    expect(() => readConfig({ ...LEAST, ...test, SSLCOMMERZ_TEST_STORE_ID: '' })).toThrow(/SSLCOMMERZ_TEST/);
    expect(() => readConfig({ ...LEAST, ...test, SSLCOMMERZ_TEST_URL: 'sandbox.example' })).toThrow(/SSLCOMMERZ_TEST/);
  });

  test('of a bKash merchant become one secret, whole or not at all', () => {
    // Operators enter the same JSON, and it is stored sealed.
    const live = {
      BKASH_LIVE_USERNAME: 'merchant',
      BKASH_LIVE_PASSWORD: 'p',
      BKASH_LIVE_APP_KEY: 'k',
      BKASH_LIVE_APP_SECRET: 's',
    };
    const { bkash } = readConfig({ ...LEAST, ...live });
    expect(bkash.get('TEST')).toEqual({ baseUrl: 'https://tokenized.sandbox.bka.sh', store: null });
    expect(bkash.get('LIVE')).toEqual({
      baseUrl: 'https://tokenized.pay.bka.sh',
      store: { id: 'merchant', secret: '{"password":"p","appKey":"k","appSecret":"s"}' },
    });
    expect(() => readConfig({ ...LEAST, ...live, BKASH_LIVE_APP_SECRET: '' })).toThrow(/BKASH_LIVE_APP_SECRET/);
  });

  test('of a Nagad merchant have a base URL with a path, in LIVE protected but on a developer’s machine', () => {
    // The order of a LIVE payment must not be sent unencrypted.
    const live = {
      NAGAD_LIVE_MERCHANT_ID: '683000000000001',
      NAGAD_LIVE_MERCHANT_PRIVATE_KEY: PRIVATE_KEY,
      NAGAD_LIVE_GATEWAY_PUBLIC_KEY: PUBLIC_KEY,
      NAGAD_LIVE_ADDRESS: '203.0.113.9',
    };
    const { nagad } = readConfig({ ...LEAST, ...live, NAGAD_TEST_URL: 'http://nagad.example:10080/api/dfs' });
    expect(nagad.get('TEST')).toEqual({ baseUrl: 'http://nagad.example:10080/api/dfs', store: null });
    expect(nagad.get('LIVE')).toEqual({
      baseUrl: null,
      store: {
        id: '683000000000001',
        secret: JSON.stringify({
          merchantPrivateKey: PRIVATE_KEY,
          gatewayPublicKey: PUBLIC_KEY,
          address: '203.0.113.9',
        }),
      },
    });
    const open = { ...LEAST, ...live, NAGAD_LIVE_URL: 'http://localhost:8090/api/dfs' };
    expect(() => readConfig(open)).toThrow(/NAGAD_LIVE_URL/);
    expect(readConfig({ ...open, LENDEN_ENV: 'development' }).nagad.get('LIVE')?.baseUrl).toBe(open.NAGAD_LIVE_URL);
    for (const NAGAD_TEST_URL of ['nagad.example', 'https://a:b@nagad.example/', 'https://nagad.example/?a=1']) {
      expect(() => readConfig({ ...LEAST, NAGAD_TEST_URL })).toThrow(/NAGAD_TEST_URL/);
    }
    expect(() => readConfig({ ...LEAST, ...live, NAGAD_LIVE_ADDRESS: '' })).toThrow(/NAGAD_LIVE_ADDRESS/);
  });

  test('of a Stripe account become one secret, whole or not at all', () => {
    // Operators enter the same JSON, and it is stored sealed. Both modes use one host.
    const live = {
      STRIPE_LIVE_ACCOUNT: 'a',
      STRIPE_LIVE_SECRET_KEY: 'sk_live_1',
      STRIPE_LIVE_WEBHOOK_SECRET: 'whsec_1',
    };
    const { stripe } = readConfig({ ...LEAST, ...live });
    expect(stripe.get('TEST')).toEqual({ baseUrl: 'https://api.stripe.com', store: null });
    expect(stripe.get('LIVE')).toEqual({
      baseUrl: 'https://api.stripe.com',
      store: { id: 'a', secret: '{"secretKey":"sk_live_1","webhookSecret":"whsec_1"}' },
    });
    expect(() => readConfig({ ...LEAST, ...live, STRIPE_LIVE_WEBHOOK_SECRET: '' })).toThrow(
      /STRIPE_LIVE_WEBHOOK_SECRET/,
    );
  });

  test('that cannot be what they are called are all refused, and none of them is repeated', () => {
    // A wrong key must fail at startup, not for the first payer. A test key must not be accepted for LIVE payments.
    const wrong = {
      ...LEAST,
      LENDEN_MASTER_KEY: `${masterKey('key1', 1)},${masterKey('key1', 2)}`,
      LENDEN_WEB_URL: LEAST.LENDEN_API_URL,
      NAGAD_LIVE_MERCHANT_ID: '683000000000001',
      NAGAD_LIVE_MERCHANT_PRIVATE_KEY: 'canary-private',
      NAGAD_LIVE_GATEWAY_PUBLIC_KEY: PRIVATE_KEY,
      NAGAD_LIVE_ADDRESS: 'canary.example',
      BKASH_TEST_NOTICE_CERTIFICATE: 'canary-certificate',
      STRIPE_LIVE_ACCOUNT: 'a',
      STRIPE_LIVE_SECRET_KEY: 'sk_test_canary',
      STRIPE_LIVE_WEBHOOK_SECRET: 'whsec_1',
      STRIPE_TEST_ACCOUNT: 'a',
      STRIPE_TEST_SECRET_KEY: 'rk_live_canary',
      STRIPE_TEST_WEBHOOK_SECRET: 'whsec_1',
    };
    const names = [
      'NAGAD_LIVE_MERCHANT_PRIVATE_KEY: must',
      'NAGAD_LIVE_GATEWAY_PUBLIC_KEY: must',
      'NAGAD_LIVE_ADDRESS: must',
      'BKASH_TEST_NOTICE_CERTIFICATE: must',
      'STRIPE_LIVE_SECRET_KEY: must',
      'STRIPE_TEST_SECRET_KEY: must',
      'LENDEN_MASTER_KEY: lists one key id twice',
      'LENDEN_API_URL, LENDEN_WEB_URL: must be two different origins',
    ];
    for (const name of names) {
      expect(() => readConfig(wrong)).toThrow(name);
    }
    expect(() => readConfig(wrong)).not.toThrow(/canary/);
    const weak = `key1:${Buffer.alloc(32, 7).toString('base64')}`;
    expect(() => readConfig({ ...LEAST, LENDEN_MASTER_KEY: weak })).toThrow('LENDEN_MASTER_KEY: must be random');
    expect(() => readConfig({ ...LEAST, BKASH_TEST_NOTICE_CERTIFICATE: PUBLIC_KEY })).not.toThrow();
  });
});
