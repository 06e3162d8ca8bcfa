export type Merchant = {
  id: string;
  /** The merchant's public key as a bare PEM body (SPKI). If absent, the simulator makes the pair, as the sandbox does. */
  publicKey?: string;
};

export const defaultMerchants = '683000000000001,683000000000002';

/**
 * Reads `id,id:publicKey`.
 * @throws Error when an entry has neither form, or an id occurs twice
 */
export function parseMerchants(text: string): Merchant[] {
  const merchants = text.split(',').map((entry) => {
    const [, id, publicKey] = /^([0-9]{10,20})(?::([0-9A-Za-z+/=]{300,1200}))?$/.exec(entry.trim()) ?? [];
    if (id === undefined) {
      throw new Error('Nagad merchants are written id,id:publicKey with an id of 10 to 20 digits');
    }
    return publicKey === undefined ? { id } : { id, publicKey };
  });
  if (new Set(merchants.map((merchant) => merchant.id)).size !== merchants.length) {
    throw new Error('A Nagad merchant id is given twice');
  }
  return merchants;
}
