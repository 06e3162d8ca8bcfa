import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../runtime/config.ts';

const LEAST = {
  DATABASE_URL: 'postgresql://lenden:canary-password@localhost/lenden',
  LENDEN_MASTER_KEY: 'key1:canary-key',
  LENDEN_API_URL: 'https://pay.example',
  LENDEN_WEB_URL: 'https://checkout.example/',
};

describe('the settings', () => {
  test('have safe defaults: production, loopback, no trusted proxy', () => {
    // Whoever sets nothing is not exposed.
    expect(readConfig(LEAST)).toMatchObject({
      environment: 'production',
      host: '127.0.0.1',
      apiPort: 8080,
      webPort: 3000,
      webUrl: 'https://checkout.example',
      temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: null },
      trustedProxies: 0,
      outboundAllow: '',
      logLevel: 'info',
    });
  });

  test('are all named at once when they are wrong, and their values never', () => {
    // One start tells everything to repair, and no secret reaches a log.
    const wrong = {
      LENDEN_API_URL: 'https://pay.example/path-canary',
      DATABASE_URL: 'mysql://canary',
      LENDEN_API_PORT: '99999',
      LENDEN_ENV: 'canary',
      SSLCOMMERZ_LIVE_STORE_PASSWORD: 'canary-store',
    };
    const read = (): unknown => readConfig(wrong);
    expect(read).toThrow(
      /LENDEN_ENV[\s\S]*DATABASE_URL[\s\S]*LENDEN_MASTER_KEY[\s\S]*LENDEN_API_PORT[\s\S]*LENDEN_API_URL[\s\S]*LENDEN_WEB_URL/,
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
    // Half a store would fail at the first payer.
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
});
