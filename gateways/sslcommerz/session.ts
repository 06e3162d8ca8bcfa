import { toDecimalText } from '../../domain/money.ts';
import { CUSTOMER_DEFAULTS } from '../customer-defaults.ts';
import type { SessionOrder } from '../port.ts';

/** Builds the form of `POST /gwprocess/v4/api.php`. Lengths are the documented ones. */
export function sessionForm(order: SessionOrder, store: { id: string; password: string }): URLSearchParams {
  const { customer, callbacks } = order;
  return new URLSearchParams({
    store_id: store.id,
    store_passwd: store.password,
    total_amount: toDecimalText(order.amount),
    currency: order.amount.currency,
    tran_id: order.attemptReference,
    product_category: 'general',
    product_name: fit(order.productName, 255),
    product_profile: 'general',
    success_url: callbacks.success,
    fail_url: callbacks.fail,
    cancel_url: callbacks.cancel,
    ipn_url: callbacks.ipn,
    shipping_method: 'NO',
    num_of_item: '1',
    emi_option: '0',
    cus_name: fit(customer.name, 50),
    cus_email: whole(customer.email, 50, CUSTOMER_DEFAULTS.email),
    cus_phone: whole(customer.phone, 20, CUSTOMER_DEFAULTS.phone),
    cus_add1: fit(customer.address, 50),
    cus_city: fit(customer.city, 50),
    cus_postcode: fit(customer.postcode, 30),
    cus_country: fit(customer.country, 50),
  });
}

/** Cuts to the documented length by whole characters, without control characters. */
function fit(text: string, lengthMax: number): string {
  return characters(text).slice(0, lengthMax).join('');
}

/** Returns `standIn` if the text is too long: a truncated email address or phone number may belong to someone else. */
function whole(text: string, lengthMax: number, standIn: string): string {
  const plain = characters(text);
  return plain.length > lengthMax ? standIn : plain.join('');
}

function characters(text: string): string[] {
  return [...text.replace(/\p{Cc}/gu, ' ').trim()];
}
