/** A merchant's account: the user of the token calls and the app key that every other call carries. */
export type Merchant = { username: string; password: string; appKey: string; appSecret: string };

export const defaultMerchants =
  'lenden_test:lenden_test@bkash:lenden_test_app:lenden_test_app_secret,' +
  'lenden_live:lenden_live@bkash:lenden_live_app:lenden_live_app_secret';

/**
 * Reads `username:password:appKey:appSecret,…`.
 * @throws Error when an entry does not have these four parts, or when a username or an app key occurs twice
 */
export function parseMerchants(text: string): Merchant[] {
  const merchants = text.split(',').map((entry) => {
    const [username = '', password = '', appKey = '', appSecret = '', ...more] = entry.trim().split(':');
    if ([username, password, appKey, appSecret].includes('') || more.length > 0) {
      throw new Error('bKash merchants are written username:password:appKey:appSecret');
    }
    return { username, password, appKey, appSecret };
  });
  for (const name of ['username', 'appKey'] as const) {
    if (new Set(merchants.map((merchant) => merchant[name])).size !== merchants.length) {
      throw new Error(`A bKash ${name} is given twice`);
    }
  }
  return merchants;
}
