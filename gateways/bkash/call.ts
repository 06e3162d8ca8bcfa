import type { HttpClient } from '../../runtime/http-client.ts';
import { GatewayFailure } from '../port.ts';
import { exchange, type Exchanged } from './exchange.ts';
import type { BkashAccount, BkashTokens } from './tokens.ts';

export interface Question {
  readonly path: '/create' | '/execute' | '/payment/status' | '/payment/refund';
  readonly body: Readonly<Record<string, string>>;
  readonly totalTimeoutMs: number;
}

/** Makes a call with the shared token. A refused token is replaced once, since the gateway may have forgotten it. */
export type Call = (question: Question) => Promise<Exchanged>;

export interface CallParts {
  readonly http: HttpClient;
  readonly tokens: BkashTokens;
  readonly account: BkashAccount;
}

/** @throws GatewayFailure `unauthorized` if the gateway refuses the credentials or a new token */
export function createCall({ http, tokens, account }: CallParts): Call {
  const send = async (
    { path, body, totalTimeoutMs }: Question,
    token: string,
  ): Promise<Exchanged | 'token refused'> => {
    const answer = await exchange({
      http,
      url: new URL(`/v1.2.0-beta/tokenized/checkout${path}`, account.baseUrl).href,
      headers: { authorization: token, 'x-app-key': account.credentials.appKey },
      body,
      totalTimeoutMs,
    }).catch((error: unknown) => {
      if (error instanceof GatewayFailure && error.kind === 'unauthorized') {
        return 'token refused' as const;
      }
      throw error;
    });
    if (answer !== 'token refused' && (answer.code === '2079' || /^unauthorized/i.test(answer.message))) {
      return 'token refused';
    }
    return answer;
  };
  return async (question) => {
    const token = await tokens.current(account);
    let answer = await send(question, token);
    if (answer === 'token refused') {
      tokens.discard(account, token);
      answer = await send(question, await tokens.current(account));
    }
    if (answer === 'token refused' || answer.code === '2001') {
      throw new GatewayFailure('unauthorized', "the gateway rejected the store's credentials");
    }
    if (answer.code === '') {
      throw new GatewayFailure('ambiguous', "the gateway's answer has no code");
    }
    return answer;
  };
}
