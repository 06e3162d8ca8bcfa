import { documentedCaller, type DocumentedAnswer } from '../documented-call.ts';
import type { Call } from '../http-call.ts';

export type OwnpayAnswer = DocumentedAnswer;

const documented = documentedCaller('ownpay.json', (path) =>
  path.replace(/^\/(payment-intents|transactions)\/.+$/, '/$1/{id}'),
);

export interface OwnpayCall extends Omit<Call, 'credentials'> {
  readonly key?: string | undefined;
}

/** Sends a request below the prefix and fails on any status or body that the document does not describe. */
export function ownpayCall({ key, ...call }: OwnpayCall): Promise<OwnpayAnswer> {
  const headers = { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...call.headers };
  return documented({ ...call, headers });
}
