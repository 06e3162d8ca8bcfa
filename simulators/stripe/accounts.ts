/** A merchant's account. The secret key identifies the caller, and the webhook secret signs the events. */
export type Account = {
  id: string;
  secretKey: string;
  webhookSecret: string;
  /** URL to which events are posted; '' for none. */
  webhookUrl: string;
};

/** The accounts that exist without configuration. */
export const defaultAccounts =
  'acct_lenden_test:sk_test_lenden:whsec_lenden_test,acct_lenden_live:sk_live_lenden:whsec_lenden_live';

/** Reads `id:secretKey:webhookSecret[:webhookUrl],…`. */
export function parseAccounts(text: string): Account[] {
  const accounts = text.split(',').map((one) => {
    const [, id, secretKey, webhookSecret, webhookUrl = ''] =
      /^([^:]+):([^:]+):([^:]+)(?::(.+))?$/.exec(one.trim()) ?? [];
    if (id === undefined || secretKey === undefined || webhookSecret === undefined) {
      throw new Error(
        'Stripe accounts are written id:secretKey:webhookSecret or id:secretKey:webhookSecret:webhookUrl',
      );
    }
    if (!/^[rs]k_(test|live)_/.test(secretKey) || (webhookUrl !== '' && !URL.canParse(webhookUrl))) {
      throw new Error('A Stripe secret key begins with sk_test_ or sk_live_, and a webhook URL is a URL');
    }
    return { id, secretKey, webhookSecret, webhookUrl };
  });
  for (const name of ['id', 'secretKey'] as const) {
    if (new Set(accounts.map((account) => account[name])).size !== accounts.length) {
      throw new Error(`A Stripe ${name} is given twice`);
    }
  }
  return accounts;
}

/** Returns whether the secret key is a live key; its prefix says so. */
export function isLive({ secretKey }: Account): boolean {
  return secretKey.slice(3).startsWith('live_');
}
