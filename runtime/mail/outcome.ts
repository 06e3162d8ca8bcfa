/**
 * What became of one attempt to send. The codes are ours: a server's own words may quote the address, and are never kept.
 * `unavailable` may also mean that the mail went and the answer was lost, so the next attempt carries the same Message-ID.
 */
export type EmailOutcome =
  | { readonly kind: 'sent' }
  /** For this recipient or message for good: another attempt would end the same. */
  | { readonly kind: 'refused'; readonly code: RefusedCode }
  /** Try again later. */
  | { readonly kind: 'unavailable'; readonly code: UnavailableCode };

export type RefusedCode =
  /** No address that an ordinary server would deliver to; nothing was sent. */
  | 'bad-address'
  /** A field of the mail that no header or body can hold; nothing was sent. */
  | 'bad-message'
  | 'recipient-refused'
  | 'message-refused'
  | 'message-too-large';

export type UnavailableCode =
  /** No server there: name, network, or a connection that broke. */
  | 'no-connection'
  | 'timeout'
  /** TLS was required and is not offered, or its certificate is not to be trusted. */
  | 'no-tls'
  /** The server does not take our user and password, or wants some. */
  | 'login-refused'
  /** The server does not let us write as the sender that is configured. */
  | 'sender-refused'
  /** The server says that it may work later. */
  | 'busy'
  | 'bad-answer'
  | 'closed';

const refused = (code: RefusedCode): EmailOutcome => ({ kind: 'refused', code });
const unavailable = (code: UnavailableCode): EmailOutcome => ({ kind: 'unavailable', code });

/** What an error of the mail library means; anything unknown may have another end next time. */
export function outcomeOf(error: unknown): EmailOutcome {
  const { code, cause, command, responseCode } = factsOf(error);
  // The library's own verdict, before anything is sent, from the size that the server has announced.
  if (code === 'EMESSAGE' && command === 'MAIL FROM' && responseCode === undefined) {
    return refused('message-too-large');
  }
  return responseCode === undefined ? withoutAnswer(code, cause) : withAnswer({ code, command, responseCode });
}

/** Node names what is wrong with a certificate or a handshake in the code of the socket's error. */
const UNTRUSTED = /CERT|TLS|SSL|SIGNATURE|^EPROTO$/;

function withoutAnswer(code: string, cause: string): EmailOutcome {
  if (UNTRUSTED.test(cause)) {
    return unavailable('no-tls');
  }
  switch (code) {
    case 'ETIMEDOUT':
    case 'EABORT':
      return unavailable('timeout');
    case 'ETLS':
      return unavailable('no-tls');
    case 'EAUTH':
    case 'ENOAUTH':
      return unavailable('login-refused');
    case 'EPROTOCOL':
      return unavailable('bad-answer');
    default:
      return unavailable('no-connection');
  }
}

/** Which step a final refusal came at says whom it is about. Source: RFC 5321, 4.2.1 and 4.3.2; RFC 4954, 6. */
function withAnswer(given: { code: string; command: string; responseCode: number }): EmailOutcome {
  const { code, command, responseCode } = given;
  if (code === 'ETLS') {
    return unavailable('no-tls');
  }
  if (code === 'EAUTH' || [530, 534, 535, 538].includes(responseCode)) {
    return unavailable('login-refused');
  }
  if (responseCode >= 400 && responseCode < 500) {
    return unavailable('busy');
  }
  // 503 says that the conversation went astray, not that the mail is wrong.
  if (responseCode < 500 || responseCode > 599 || responseCode === 503) {
    return unavailable('bad-answer');
  }
  switch (command) {
    case 'MAIL FROM':
      return responseCode === 552 ? refused('message-too-large') : unavailable('sender-refused');
    case 'RCPT TO':
      return refused('recipient-refused');
    case 'DATA':
      return refused(responseCode === 552 ? 'message-too-large' : 'message-refused');
    default:
      return unavailable('bad-answer');
  }
}

interface Facts {
  readonly code: string;
  /** The code that the error had before the library gave it one of its own. */
  readonly cause: string;
  /** The step of the conversation. */
  readonly command: string;
  readonly responseCode: number | undefined;
}

function factsOf(error: unknown): Facts {
  if (!Error.isError(error)) {
    return { code: '', cause: '', command: '', responseCode: undefined };
  }
  const text = (name: 'code' | 'originalCode' | 'command'): string => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : '';
  };
  const answer: unknown = Reflect.get(error, 'responseCode');
  return {
    code: text('code'),
    cause: text('originalCode'),
    command: text('command'),
    responseCode: typeof answer === 'number' ? answer : undefined,
  };
}
