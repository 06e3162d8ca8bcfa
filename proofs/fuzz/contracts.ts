import type { ApplicationStore, Registration } from '../../core/applications/store/applications.ts';
import { issueCredential } from '../../core/applications/store/credentials.ts';
import { paidPayment } from './paid-payment.ts';
import type { ContractCallers, Headers } from './subject.ts';

/** Half of them are refunded in full, each once; the others are refunded in parts. */
const PAYMENTS = 16;
const AMOUNT_MINOR = 2_000_000;

interface Shops {
  readonly store: ApplicationStore;
  readonly api: string;
  readonly peers: readonly [Registration, Registration];
}

/** Creates two shops that use another contract, one of them with paid payments. */
export async function openShops(
  contract: ContractCallers['contract'],
  { store, api, peers: [shop, neighbour] }: Shops,
): Promise<ContractCallers> {
  const headersFor = async ({ applicationId }: Registration): Promise<Headers> => {
    const { apiKey, business } = await issueCredential(store, {
      applicationId,
      mode: 'TEST',
      contract,
      label: 'Fuzzed',
    });
    return business === null
      ? { Authorization: `Bearer ${apiKey}` }
      : { 'Client-Id': business.clientId, 'Business-Id': business.businessId, 'X-Api-Key': apiKey };
  };
  const paid: string[] = [];
  for (let number = 1; number <= PAYMENTS; number += 1) {
    paid.push((await paidPayment(api, { credentials: shop.test, amountMinor: AMOUNT_MINOR, number })).reference);
  }
  return { contract, peers: [await headersFor(shop), await headersFor(neighbour)], paid };
}
