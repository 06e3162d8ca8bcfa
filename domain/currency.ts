/** ISO 4217 alphabetic codes with the number of digits after the decimal point (exponent), active list of 2026. */
const EXPONENT_OTHER_THAN_TWO: Readonly<Record<string, number>> = {
  BHD: 3,
  BIF: 0,
  CLF: 4,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  IQD: 3,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  PYG: 0,
  RWF: 0,
  TND: 3,
  UGX: 0,
  UYI: 0,
  UYW: 4,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
};

const EXPONENT_TWO =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW';

const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...EXPONENT_TWO.split(' ').map((code): [string, number] => [code, 2]),
  ...Object.entries(EXPONENT_OTHER_THAN_TWO),
]);

/** Active ISO 4217 codes. */
export const CURRENCIES: readonly string[] = [...EXPONENTS.keys()].sort();

/** Reports whether the text is an active ISO 4217 code in upper case. */
export function isCurrency(code: string): boolean {
  return EXPONENTS.has(code);
}

/** Returns the digits after the decimal point of one unit of the currency. Throws RangeError for a code that ISO 4217 does not list. */
export function exponentOf(currency: string): number {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) {
    throw new RangeError(`not an ISO 4217 currency: ${currency}`);
  }
  return exponent;
}
