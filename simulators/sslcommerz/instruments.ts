/** A way to pay on the hosted page. The data come from the sandbox's published test instruments and from observed notices. */
export type Instrument = {
  id: string;
  channel: 'card' | 'wallet' | 'bank';
  label: string;
  /** What the payer sees under the label. */
  detail: string;
  /** Keys of `multi_card_name` that allow it. */
  keys: readonly string[];
  cardType: string;
  cardBrand: string;
  /** Masked; '' for wallets and banks. */
  cardNo: string;
  cardIssuer: string;
  cardSubBrand: string;
};

const instruments: readonly Instrument[] = [
  card({
    id: 'visa',
    label: 'Visa',
    number: '4111111111111111',
    cardType: 'VISA-Dutch Bangla',
    brand: 'VISA',
    keys: ['dbbl_visa', 'brac_visa', 'city_visa', 'ebl_visa', 'sbl_visa', 'visacard'],
  }),
  card({
    id: 'mastercard',
    label: 'Mastercard',
    number: '5111111111111111',
    cardType: 'MASTER-Dutch Bangla',
    brand: 'MASTER',
    keys: ['dbbl_master', 'brac_master', 'city_master', 'ebl_master', 'sbl_master', 'mastercard'],
  }),
  card({
    id: 'amex',
    label: 'American Express',
    number: '371111111111111',
    cardType: 'AMEX-City Bank',
    brand: 'AMEX',
    keys: ['city_amex', 'amexcard'],
  }),
  wallet({ id: 'bkash', label: 'bKash', cardType: 'BKASH-BKash', issuer: 'BKash Mobile Banking', keys: ['bkash'] }),
  wallet({
    id: 'rocket',
    label: 'Rocket',
    cardType: 'DBBLMOBILEB-Dbbl Mobile Banking',
    issuer: 'DBBL Mobile Banking',
    keys: ['dbblmobilebanking'],
  }),
  wallet({ id: 'upay', label: 'Upay', cardType: 'UPAY-Upay', issuer: 'Upay Mobile Banking', keys: ['upay'] }),
  bank({ id: 'city', label: 'City Bank', cardType: 'CITYIB-City Touch', issuer: 'City Bank Limited', keys: ['city'] }),
  bank({ id: 'abbank', label: 'AB Bank', cardType: 'ABBANKIB-AB Bank', issuer: 'AB Bank Limited', keys: ['abbank'] }),
];

/** Returns the instruments that `multi_card_name` allows. An empty list, or one with only unknown names, allows all. */
export function allowedInstruments(multiCardName: string): readonly Instrument[] {
  const keys = new Set(multiCardName.split(',').map((key) => key.trim().toLowerCase()));
  const allowed = instruments.filter((instrument) => instrument.keys.some((key) => keys.has(key)));
  return allowed.length > 0 ? allowed : instruments;
}

export function findInstrument(id: string): Instrument | undefined {
  return instruments.find((instrument) => instrument.id === id);
}

function card(given: {
  id: string;
  label: string;
  number: string;
  cardType: string;
  brand: string;
  keys: string[];
}): Instrument {
  return {
    id: given.id,
    channel: 'card',
    label: given.label,
    detail: `${given.number} · 12/26 · 111`,
    keys: given.keys,
    cardType: given.cardType,
    cardBrand: given.brand,
    cardNo: `${given.number.slice(0, 6)}${'X'.repeat(given.number.length - 10)}${given.number.slice(-4)}`,
    cardIssuer: given.brand === 'AMEX' ? 'City Bank Limited' : 'TRUST BANK, LTD.',
    cardSubBrand: 'Classic',
  };
}

function wallet(given: { id: string; label: string; cardType: string; issuer: string; keys: string[] }): Instrument {
  return {
    ...common(given, 'mobilebanking'),
    channel: 'wallet',
    detail: 'test wallet 01711111111',
    cardBrand: 'MOBILEBANKING',
  };
}

function bank(given: { id: string; label: string; cardType: string; issuer: string; keys: string[] }): Instrument {
  return { ...common(given, 'internetbank'), channel: 'bank', detail: 'test account', cardBrand: 'IB' };
}

function common(given: { id: string; label: string; cardType: string; issuer: string; keys: string[] }, group: string) {
  return {
    id: given.id,
    label: given.label,
    keys: [...given.keys, group],
    cardType: given.cardType,
    cardNo: '',
    cardIssuer: given.issuer,
    cardSubBrand: 'Classic',
  };
}
