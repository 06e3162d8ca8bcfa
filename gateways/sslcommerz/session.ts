import { toDecimalText } from '../../domain/money.ts';
import type { SessionOrder } from '../port.ts';

/** The form of `POST /gwprocess/v4/api.php`, urlencoded, undefined fields left out. Lengths are the documented ones. */
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
    cus_email: fit(customer.email, 50),
    cus_phone: fit(customer.phone, 20),
    cus_add1: fit(customer.address, 50),
    cus_city: fit(customer.city, 50),
    cus_postcode: fit(customer.postcode, 30),
    cus_country: fit(customer.country, 50),
  });
}

/** Cuts to the documented length by whole characters, without control characters. */
function fit(text: string, lengthMax: number): string {
  return [...text.replace(/\p{Cc}/gu, ' ').trim()].slice(0, lengthMax).join('');
}
