import { formatAmount, parseAmount, ratesToBdt, toBdt } from './money.ts';

/** The non-empty parameters of a session request. The gateway treats an empty parameter as absent. */
export type SessionParameters = Readonly<Record<string, string>>;

export type SessionTerms = {
  /** Hundredths of `currency`, as requested by the merchant. */
  currencyAmount: bigint;
  currency: string;
  /** Four decimal places. */
  rate: string;
  /** Hundredths of taka. */
  amount: bigint;
};

type Length = { max: number; mandatory?: true };

export const credentialFailure = 'Store Credential Error Or Store is De-active';
const amountMinBdt = 10_00n;
const amountMaxBdt = 500_000_00n;

/** Maximum lengths and mandatory fields as documented. Where two documents differ (product_category 50 or 100), the stricter limit applies. */
const textFields: Readonly<Record<string, Length>> = {
  tran_id: { max: 30, mandatory: true },
  product_category: { max: 50, mandatory: true },
  product_name: { max: 255, mandatory: true },
  multi_card_name: { max: 30 },
  allowed_bin: { max: 255 },
  cus_name: { max: 50, mandatory: true },
  cus_email: { max: 50, mandatory: true },
  cus_add1: { max: 50, mandatory: true },
  cus_add2: { max: 50 },
  cus_city: { max: 50, mandatory: true },
  cus_state: { max: 50 },
  cus_postcode: { max: 30, mandatory: true },
  cus_country: { max: 50, mandatory: true },
  cus_phone: { max: 20, mandatory: true },
  cus_fax: { max: 20 },
  ship_name: { max: 50 },
  ship_add1: { max: 50 },
  ship_add2: { max: 50 },
  ship_area: { max: 50 },
  ship_city: { max: 50 },
  ship_sub_city: { max: 50 },
  ship_state: { max: 50 },
  ship_postcode: { max: 50 },
  ship_country: { max: 50 },
  hours_till_departure: { max: 30 },
  flight_type: { max: 30 },
  pnr: { max: 50 },
  journey_from_to: { max: 255 },
  third_party_booking: { max: 20 },
  hotel_name: { max: 255 },
  length_of_stay: { max: 30 },
  check_in_time: { max: 30 },
  hotel_city: { max: 50 },
  product_type: { max: 30 },
  topup_number: { max: 150 },
  country_topup: { max: 30 },
  value_a: { max: 255 },
  value_b: { max: 255 },
  value_c: { max: 255 },
  value_d: { max: 255 },
};

const urlFields: Readonly<Record<string, Length>> = {
  success_url: { max: 255, mandatory: true },
  fail_url: { max: 255, mandatory: true },
  cancel_url: { max: 255, mandatory: true },
  ipn_url: { max: 255 },
};

const amountFields = ['product_amount', 'vat', 'discount_amount', 'convenience_fee'];
const shippedFields = [
  'num_of_item',
  'ship_name',
  'ship_add1',
  'ship_area',
  'ship_city',
  'ship_sub_city',
  'ship_postcode',
  'ship_country',
];

const shippingMethods: Readonly<Record<string, readonly string[]>> = {
  NO: [],
  Courier: [],
  YES: shippedFields,
  SSLCOMMERZ_LOGISTIC: [...shippedFields, 'weight_of_items', 'logistic_pickup_id', 'logistic_delivery_type'],
};

const productProfiles: Readonly<Record<string, readonly string[]>> = {
  general: [],
  'physical-goods': [],
  'non-physical-goods': [],
  'airline-tickets': ['hours_till_departure', 'flight_type', 'pnr', 'journey_from_to', 'third_party_booking'],
  'travel-vertical': ['hotel_name', 'length_of_stay', 'check_in_time', 'hotel_city'],
  'telecom-vertical': ['product_type', 'topup_number', 'country_topup'],
};

/** Checks every documented parameter except the credentials. Returns the terms, or the reason for the refusal. */
export function readSessionRequest(
  parameters: SessionParameters,
  rules: { numOfItem: 'always' | 'shipped' },
): { terms: SessionTerms } | { failedReason: string } {
  const failure =
    checkLengths(parameters) ??
    checkUrls(parameters) ??
    checkShipping(parameters, rules) ??
    checkProfile(parameters) ??
    checkEmi(parameters) ??
    checkCart(parameters) ??
    checkExtraAmounts(parameters);
  return failure === undefined ? readTerms(parameters) : { failedReason: failure };
}

function readTerms(parameters: SessionParameters): { terms: SessionTerms } | { failedReason: string } {
  const { currency, total_amount: total } = parameters;
  if (total === undefined || currency === undefined) {
    return { failedReason: missing(total === undefined ? 'total_amount' : 'currency') };
  }
  const rate = Object.hasOwn(ratesToBdt, currency) ? ratesToBdt[currency] : undefined;
  if (rate === undefined) {
    return { failedReason: `Invalid Information! 'currency' ${currency} is not supported.` };
  }
  const currencyAmount = parseAmount(total);
  if (currencyAmount === undefined) {
    return { failedReason: invalid('total_amount') };
  }
  const amount = toBdt({ amount: currencyAmount, rate });
  if (amount < amountMinBdt || amount > amountMaxBdt) {
    const limits = `${formatAmount(amountMinBdt)} and ${formatAmount(amountMaxBdt)} BDT`;
    return { failedReason: `Invalid Information! 'total_amount' must be between ${limits}.` };
  }
  return { terms: { currencyAmount, currency, rate, amount } };
}

function checkLengths(parameters: SessionParameters): string | undefined {
  for (const [name, { max, mandatory }] of Object.entries({ ...textFields, ...urlFields })) {
    const value = parameters[name];
    if (value === undefined && mandatory) {
      return missing(name);
    }
    if (value !== undefined && [...value].length > max) {
      return `Invalid Information! '${name}' is longer than ${max} characters.`;
    }
  }
  return undefined;
}

function checkUrls(parameters: SessionParameters): string | undefined {
  const bad = Object.keys(urlFields).find((name) => {
    const value = parameters[name];
    return value !== undefined && !(/^https?:\/\/[^\s/]/i.test(value) && URL.canParse(value));
  });
  return bad === undefined ? undefined : invalid(bad);
}

function checkShipping(parameters: SessionParameters, rules: { numOfItem: 'always' | 'shipped' }): string | undefined {
  const method = parameters['shipping_method'];
  if (method === undefined) {
    return missing('shipping_method');
  }
  const needed = Object.hasOwn(shippingMethods, method) ? shippingMethods[method] : undefined;
  if (needed === undefined) {
    return invalid('shipping_method');
  }
  const always = rules.numOfItem === 'always' ? ['num_of_item'] : [];
  const absent = [...always, ...needed].find((name) => parameters[name] === undefined);
  if (absent !== undefined) {
    return missing(absent);
  }
  const items = parameters['num_of_item'];
  return items === undefined || /^\d$/.test(items) ? undefined : invalid('num_of_item');
}

function checkProfile(parameters: SessionParameters): string | undefined {
  const profile = parameters['product_profile'];
  if (profile === undefined) {
    return missing('product_profile');
  }
  const needed = Object.hasOwn(productProfiles, profile) ? productProfiles[profile] : undefined;
  if (needed === undefined) {
    return invalid('product_profile');
  }
  const absent = needed.find((name) => parameters[name] === undefined);
  return absent === undefined ? undefined : missing(absent);
}

function checkEmi(parameters: SessionParameters): string | undefined {
  const months = ['3', '6', '9'];
  const allowed: Readonly<Record<string, readonly string[]>> = {
    emi_option: ['0', '1'],
    emi_allow_only: ['0', '1'],
    emi_max_inst_option: months,
    emi_selected_inst: months,
  };
  const bad = Object.entries(allowed).find(([name, values]) => {
    const value = parameters[name];
    return value !== undefined && !values.includes(value);
  });
  return bad === undefined ? undefined : invalid(bad[0]);
}

function checkCart(parameters: SessionParameters): string | undefined {
  const cart = parameters['cart'];
  if (cart === undefined) {
    return undefined;
  }
  try {
    return Array.isArray(JSON.parse(cart)) ? undefined : invalid('cart');
  } catch {
    return invalid('cart');
  }
}

function checkExtraAmounts(parameters: SessionParameters): string | undefined {
  const bad = amountFields.find((name) => {
    const value = parameters[name];
    return value !== undefined && parseAmount(value) === undefined;
  });
  return bad === undefined ? undefined : invalid(bad);
}

function missing(name: string): string {
  return `Invalid Information! '${name}' is missing or empty.`;
}

function invalid(name: string): string {
  return `Invalid Information! '${name}' is invalid.`;
}
