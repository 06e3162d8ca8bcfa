import { merged } from '../kit/scripts.ts';
import { takeQueued } from '../kit/state.ts';
import type { Gateway } from './gateway.ts';
import type { PaymentRequest } from './payment-request.ts';
import { scriptOfRequest } from './scripts.ts';
import type { Script } from './scripts.ts';
import { invoiceKey } from './state.ts';

type Asked = { username: string; request: PaymentRequest };

/**
 * Returns the script of a create call. The merchant's next queued script takes precedence over the row picked by the amount or the payer's reference,
 * which takes precedence over the configured default. A queued script stays with its invoice number, so that a repeated call gets the same one.
 */
export function scriptForRequest(gateway: Gateway, { username, request }: Asked): Script {
  const { amount, payerReference: payer, invoice } = request;
  const picked = merged(gateway.state.settings.script, scriptOfRequest({ amount, payer }));
  const queued = takeQueued(gateway.state, {
    key: invoiceKey({ username, invoice }),
    isOwner: (one) => one.username === username,
    take: (id) => gateway.record({ type: 'script_taken', id, username, invoice }),
  });
  return merged(picked, queued ?? {});
}
