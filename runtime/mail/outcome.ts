/**
 * The outcome of one attempt to send an email. The codes are ours: a server's own text may quote the address and is never stored. `unavailable` can
 * also mean that the email was sent and the reply was lost, so the next attempt has the same Message-ID.
 */
export type EmailOutcome =
  | { readonly kind: 'sent' }
  /** Permanent for this recipient or message: another attempt would fail the same way. */
  | { readonly kind: 'refused'; readonly code: RefusedCode }
  /** Temporary: try again later. */
  | { readonly kind: 'unavailable'; readonly code: UnavailableCode };

export type RefusedCode =
  /** Not an address that an ordinary server delivers to; nothing was sent. */
  | 'bad-address'
  /** A field that does not fit into a header or body; nothing was sent. */
  | 'bad-message'
  | 'recipient-refused'
  | 'message-refused'
  | 'message-too-large';

export type UnavailableCode =
  /** No connection: DNS, network, or a connection that broke. */
  | 'no-connection'
  | 'timeout'
  /** TLS was required but is not offered, or its certificate is not trusted. */
  | 'no-tls'
  /** The server rejects our user and password, or requires some. */
  | 'login-refused'
  /** The server does not accept the configured sender. */
  | 'sender-refused'
  /** The server reports a temporary error. */
  | 'busy'
  | 'bad-answer'
  | 'closed';

const refused = (code: RefusedCode): EmailOutcome => ({ kind: 'refused', code });
const unavailable = (code: UnavailableCode): EmailOutcome => ({ kind: 'unavailable', code });

/** Returns the outcome for an error of the mail library. Unknown errors count as temporary. */
export function outcomeOf(error: unknown): EmailOutcome {
  const { code, cause, command, responseCode } = factsOf(error);
  // The library itself rejects the email before sending, by the size limit that the server has announced.
  if (code === 'EMESSAGE' && command === 'MAIL FROM' && responseCode === undefined) {
    return refused('message-too-large');
  }
  return responseCode === undefined ? withoutAnswer(code, cause) : withAnswer({ code, command, responseCode });
}

/** Node reports certificate and handshake errors in the code of the socket's error. */
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

/**
 * The step at which a permanent refusal comes shows whether it concerns the sender, the recipient or the message. Source: RFC 5321, 4.2.1 and 4.3.2;
 * RFC 4954, 6.
 */
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
  // 503 means a wrong sequence of commands, not a wrong email.
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
  /** The code that the error had before the library replaced it. */
  readonly cause: string;
  /** The SMTP command that failed. */
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
