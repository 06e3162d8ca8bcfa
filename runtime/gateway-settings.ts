import { z } from 'zod';
import type { Mode } from '../domain/mode.ts';
import { isProduction } from './environment.ts';
import { isCertificate, isRsaPrivateKey, isRsaPublicKey, isStripeKeyOf } from './gateway-keys.ts';
import { origin } from './origin.ts';

/* The settings of each gateway in one mode. */

export interface SslcommerzAccount {
  readonly baseUrl: string;
  /** The store of every application without one of its own. Null: only stores configured by operators. */
  readonly store: { readonly id: string; readonly password: string } | null;
}

export interface BkashAccount {
  readonly baseUrl: string;
  /** The merchant of every application without one of its own: the username, and its other credentials as JSON. */
  readonly store: { readonly id: string; readonly secret: string } | null;
}

export interface NagadAccount {
  /** Null: Nagad's own address. */
  readonly baseUrl: string | null;
  /** The merchant of every application without one of its own: its id, and its keys and address as JSON. */
  readonly store: { readonly id: string; readonly secret: string } | null;
}

export interface StripeAccount {
  readonly baseUrl: string;
  /** The account of every application without one of its own: its name, and its secrets as JSON. */
  readonly store: { readonly id: string; readonly secret: string } | null;
}

/** Source: SSLCOMMERZ v4 documentation. */
const SSLCOMMERZ_URLS: Readonly<Record<Mode, string>> = {
  TEST: 'https://sandbox.sslcommerz.com',
  LIVE: 'https://securepay.sslcommerz.com',
};

/** Source: bKash's documentation of the tokenized checkout. */
const BKASH_URLS: Readonly<Record<Mode, string>> = {
  TEST: 'https://tokenized.sandbox.bka.sh',
  LIVE: 'https://tokenized.pay.bka.sh',
};

/** Source: Stripe's documentation. The key of a call decides its mode. */
const STRIPE_URL = 'https://api.stripe.com';

export function readSslcommerz(environment: NodeJS.ProcessEnv, mode: Mode, problems: string[]): SslcommerzAccount {
  const { baseUrl, values } = readAccount(environment, {
    prefix: `SSLCOMMERZ_${mode}`,
    usualUrl: SSLCOMMERZ_URLS[mode],
    needed: ['STORE_ID', 'STORE_PASSWORD'],
    problems,
  });
  const [id = '', password = ''] = values ?? [];
  return { baseUrl, store: values === null ? null : { id, password } };
}

export function readBkash(environment: NodeJS.ProcessEnv, mode: Mode, problems: string[]): BkashAccount {
  const { baseUrl, values } = readAccount(environment, {
    prefix: `BKASH_${mode}`,
    usualUrl: BKASH_URLS[mode],
    needed: ['USERNAME', 'PASSWORD', 'APP_KEY', 'APP_SECRET'],
    problems,
  });
  const [id = '', password, appKey, appSecret] = values ?? [];
  const certificate = environment[`BKASH_${mode}_NOTICE_CERTIFICATE`] ?? '';
  if (certificate !== '' && !isCertificate(certificate)) {
    problems.push(`BKASH_${mode}_NOTICE_CERTIFICATE: must be the PEM of a certificate or a public key`);
  }
  const secret = { password, appKey, appSecret, ...(certificate === '' ? {} : { noticeCertificate: certificate }) };
  return { baseUrl, store: values === null ? null : { id, secret: JSON.stringify(secret) } };
}

export function readStripe(environment: NodeJS.ProcessEnv, mode: Mode, problems: string[]): StripeAccount {
  const { baseUrl, values } = readAccount(environment, {
    prefix: `STRIPE_${mode}`,
    usualUrl: STRIPE_URL,
    needed: ['ACCOUNT', 'SECRET_KEY', 'WEBHOOK_SECRET'],
    problems,
  });
  const [id = '', secretKey = '', webhookSecret] = values ?? [];
  if (values !== null && !isStripeKeyOf(mode, secretKey)) {
    const kind = mode.toLowerCase();
    problems.push(`STRIPE_${mode}_SECRET_KEY: must be a key of this mode, sk_${kind}_… or rk_${kind}_…`);
  }
  return { baseUrl, store: values === null ? null : { id, secret: JSON.stringify({ secretKey, webhookSecret }) } };
}

/** Nagad's API has a path. LIVE requires https, except for a simulator in development. */
export function readNagad(environment: NodeJS.ProcessEnv, mode: Mode, problems: string[]): NagadAccount {
  const prefix = `NAGAD_${mode}`;
  const unprotected = mode === 'TEST' || !isProduction(environment);
  const { baseUrl, values } = readAccount(environment, {
    prefix,
    usualUrl: null,
    isUrl: (text) => isBaseUrl(text, unprotected ? ['http:', 'https:'] : ['https:']),
    needed: ['MERCHANT_ID', 'MERCHANT_PRIVATE_KEY', 'GATEWAY_PUBLIC_KEY', 'ADDRESS'],
    problems,
  });
  const [id = '', merchantPrivateKey = '', gatewayPublicKey = '', address = ''] = values ?? [];
  if (values !== null) {
    const checks = [
      ['MERCHANT_PRIVATE_KEY', isRsaPrivateKey(merchantPrivateKey), 'an RSA private key of at least 2048 bits'],
      ['GATEWAY_PUBLIC_KEY', isRsaPublicKey(gatewayPublicKey), 'an RSA public key of at least 2048 bits'],
      ['ADDRESS', z.ipv4().safeParse(address).success, 'an IPv4 address'],
    ] as const;
    problems.push(...checks.flatMap(([name, right, what]) => (right ? [] : [`${prefix}_${name}: must be ${what}`])));
  }
  const secret = { merchantPrivateKey, gatewayPublicKey, address };
  return { baseUrl, store: values === null ? null : { id, secret: JSON.stringify(secret) } };
}

function isBaseUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, username, password, search, hash } = new URL(text);
  return protocols.includes(protocol) && [username, password, search, hash].every((part) => part === '');
}

interface AccountSettings<Url> {
  readonly prefix: string;
  readonly usualUrl: Url;
  /** An origin by default. */
  readonly isUrl?: (text: string) => boolean;
  /** Settings that must be given together or not at all. */
  readonly needed: readonly string[];
  readonly problems: string[];
}

/** A mode without an account is allowed (no LIVE yet, or accounts from operators only); a half-configured one is an error. */
function readAccount<Url extends string | null>(
  environment: NodeJS.ProcessEnv,
  { prefix, usualUrl, isUrl, needed, problems }: AccountSettings<Url>,
): { readonly baseUrl: string | Url; readonly values: readonly string[] | null } {
  const url = environment[`${prefix}_URL`] || null;
  const values = needed.map((name) => environment[`${prefix}_${name}`] ?? '');
  const absent = values.filter((text) => text === '').length;
  const isUsable = isUrl ?? ((text: string) => origin.safeParse(text).success);
  if ((url !== null && !isUsable(url)) || (absent > 0 && absent < needed.length)) {
    const names = ['URL', ...needed].map((name) => `${prefix}_${name}`);
    const kind = isUrl === undefined ? 'an http(s) origin' : 'a URL (https in LIVE)';
    problems.push(`${names.join(', ')}: the first must be ${kind} or unset; set all of the others or none`);
    return { baseUrl: usualUrl, values: null };
  }
  const baseUrl = url === null ? usualUrl : isUrl === undefined ? new URL(url).origin : url;
  return { baseUrl, values: absent === 0 ? values : null };
}
