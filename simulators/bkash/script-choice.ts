import type { Gateway } from './gateway.ts';
import type { PaymentRequest } from './payment-request.ts';
import { mergeScripts, scriptOfRequest } from './scripts.ts';
import type { Script } from './scripts.ts';
import { invoiceKey } from './state.ts';

type Asked = { username: string; request: PaymentRequest };

/**
 * Returns the script of a create call. The merchant's next queued script takes precedence over the row picked by the amount or the payer's reference,
 * which takes precedence over the configured default. A queued script stays with its invoice number, so that a repeated call gets the same one.
 */
export function scriptForRequest(gateway: Gateway, { username, request }: Asked): Script {
  const { amount, payerReference: payer, invoice } = request;
  const picked = mergeScripts(gateway.state.settings.script, scriptOfRequest({ amount, payer }));
  return mergeScripts(picked, takeQueued(gateway, { username, invoice }) ?? {});
}

function takeQueued(gateway: Gateway, of: { username: string; invoice: string }): Script | undefined {
  const { state } = gateway;
  const key = invoiceKey(of);
  if (!state.takenScripts.has(key)) {
    const next = [...state.queuedScripts.values()].find(({ username }) => username === of.username);
    if (next) {
      gateway.record({ type: 'script_taken', id: next.id, ...of });
    }
  }
  return state.takenScripts.get(key);
}
