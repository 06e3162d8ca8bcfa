import { isIP } from 'node:net';
import { readMailAddress } from './address.ts';
import { isOneLine } from './one-line.ts';

/** The mail server and the sender of our email. */
export interface MailSettings {
  readonly server: MailServer;
  readonly from: { readonly name: string; readonly address: string };
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /**
   * `implicit`: TLS from the first byte. `required`: STARTTLS, or nothing is sent. `optional`: STARTTLS if offered. `none`: plain text, on loopback
   * only.
   */
  readonly tls: 'implicit' | 'required' | 'optional' | 'none';
  readonly login: { readonly user: string; readonly password: string } | null;
}

const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;
const HOST = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;
const NAME_MAX = 100;

/**
 * Reads `smtp://[user:password@]host[:port][?tls=required|optional]` or `smtps://…`. A password must not travel unencrypted beyond this machine, so
 * it cannot be combined with `tls=optional` there.
 * @throws Error that says what is wrong and repeats nothing of the address.
 */
export function readSmtpUrl(text: string): MailServer {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new Error('must be smtp://[user:password@]host[:port] or smtps://…');
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '' || url.port === '0') {
    throw new Error('must have no path, no fragment and no port 0');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0 && !HOST.test(host)) {
    throw new Error('must have a host of ASCII letters, digits, dots and hyphens');
  }
  const login = loginOf(url);
  const tls = tlsOf(url, isLoopback(host));
  if (login !== null && tls === 'optional' && !isLoopback(host)) {
    throw new Error('must not have a password with tls=optional: it could travel unencrypted');
  }
  return { host, port: url.port === '' ? PORTS[url.protocol] : Number(url.port), tls, login };
}

function tlsOf(url: URL, local: boolean): MailServer['tls'] {
  const [[name, value] = ['tls', null], ...more] = [...url.searchParams];
  if (name !== 'tls' || more.length > 0 || (value !== null && value !== 'required' && value !== 'optional')) {
    throw new Error('must have no parameter but tls=required or tls=optional');
  }
  if (url.protocol === 'smtps:') {
    if (value === 'optional') {
      throw new Error('must not have tls=optional with smtps://');
    }
    return 'implicit';
  }
  return value ?? (local ? 'none' : 'required');
}

function loginOf(url: URL): MailServer['login'] {
  if (url.username === '' && url.password === '') {
    return null;
  }
  const [user = '', password = ''] = [url.username, url.password].map(decoded);
  if (user === '' || password === '') {
    throw new Error('must have both user and password or neither, percent-encoded where URLs need it');
  }
  return { user, password };
}

function decoded(text: string): string {
  try {
    const plain = decodeURIComponent(text);
    return isOneLine(plain) ? plain : '';
  } catch {
    return '';
  }
}

/** Returns whether traffic to the host stays on this machine. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Reads `billing@shop.example` or `Shop <billing@shop.example>`.
 * @throws Error that repeats nothing of it.
 */
export function readSender(text: string): MailSettings['from'] {
  const [, name = '', bracketed] = /^(.*?)\s*<([^<>]*)>$/.exec(text.trim()) ?? [];
  const address = readMailAddress(bracketed ?? text.trim());
  if (address === null || name.length > NAME_MAX || !isOneLine(name) || /["<>]|=\?/.test(name)) {
    throw new Error('must be an address, or Name <address> without quotes');
  }
  return { name, address };
}

/** Without both settings no email is sent. One alone is an error, because the operator expects email to be on. */
export function readMail(environment: NodeJS.ProcessEnv, problems: string[]): MailSettings | null {
  const [url, from] = [environment['LENDEN_SMTP_URL'] ?? '', environment['LENDEN_MAIL_FROM'] ?? ''];
  if (url === '' && from === '') {
    return null;
  }
  const read = <T>(name: string, parse: () => T): T | null => {
    try {
      return parse();
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : 'malformed'}`);
      return null;
    }
  };
  if (url === '' || from === '') {
    problems.push('LENDEN_SMTP_URL, LENDEN_MAIL_FROM: set both or neither');
    return null;
  }
  const server = read('LENDEN_SMTP_URL', () => readSmtpUrl(url));
  const sender = read('LENDEN_MAIL_FROM', () => readSender(from));
  return server === null || sender === null ? null : { server, from: sender };
}
